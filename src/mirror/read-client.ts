import { PrismaPg } from '@prisma/adapter-pg';
import { PrismaClient } from '../../prisma/client/client.ts';
import { createConnections } from './connections.ts';

export type ReadClientOptions = Readonly<{
  databaseUrl: string;
  /** Connections at most. */
  poolSize: number;
  /** A statement without an answer for so long is given up, and its connection destroyed. */
  timeoutMs: number;
}>;

export type ReadClient = Readonly<{ prisma: PrismaClient; close: () => Promise<void> }>;

/** Prisma on connections that are given up in time. Opens none until the first read. */
export function createReadClient({ databaseUrl, poolSize, timeoutMs }: ReadClientOptions): ReadClient {
  const connections = createConnections({ databaseUrl, poolSize, query_timeout: timeoutMs });
  const prisma = new PrismaClient({ adapter: new PrismaPg(connections.pool) });
  return {
    prisma,
    close: async () => {
      await prisma.$disconnect();
      await connections.close();
    },
  };
}
