# syntax=docker/dockerfile:1
# One image for the API, workers and migrations: the command tells them apart. Debian, because the worker's native part
# needs glibc.

FROM node:20.20.2-bookworm-slim AS product
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN --mount=type=cache,target=/root/.npm npm ci --include=dev --ignore-scripts
COPY scripts ./scripts
COPY prisma ./prisma
RUN node scripts/generate-prisma-client.mjs
COPY src ./src
RUN node scripts/compile.mjs
# The two named would stay: the client that was generated has them as optional peers, and needs neither when it runs.
RUN npm uninstall --no-save --omit=dev --omit=peer --ignore-scripts prisma typescript
# Bundled here, no worker needs seconds for it at its start, nor a cache that it may write. The compiler leaves a copy of itself
# there, and would close a folder that it made to all but its own user.
ENV XDG_CACHE_HOME=/app/cache
RUN mkdir cache && node dist/bundle.mjs && rm -rf cache/swc-native-*

FROM node:20.20.2-bookworm-slim
# git keeps the trees of builds and fetches sources (over https and ssh); python3 runs the tests of those that are in Python, and bubblewrap all of them.
RUN apt-get update && apt-get install --yes --no-install-recommends bubblewrap ca-certificates git openssh-client python3 && rm -rf /var/lib/apt/lists/*
# A named volume takes its owner from the folder of the image.
RUN install --directory --owner=node --group=node /data
WORKDIR /app
ENV NODE_ENV=production XDG_CACHE_HOME=/app/cache DATA_DIR=/data
COPY --from=product /app ./
USER node
EXPOSE 3000
# Of the API; workers and migrations, which serve nothing, turn it off.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
  CMD ["node", "--eval", "fetch('http://127.0.0.1:3000/healthz', { signal: AbortSignal.timeout(3000) }).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "--enable-source-maps", "dist/server.mjs"]
