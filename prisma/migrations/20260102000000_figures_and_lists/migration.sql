-- What a build's audit comes to, so that the figures of a project need no count of its audit.
-- AlterTable
ALTER TABLE "build_workflows"
    ADD COLUMN "handoff_count" INTEGER NOT NULL DEFAULT 0,
    ADD COLUMN "discovery_failures" INTEGER NOT NULL DEFAULT 0,
    ADD COLUMN "planning_failures" INTEGER NOT NULL DEFAULT 0,
    ADD COLUMN "implementation_failures" INTEGER NOT NULL DEFAULT 0,
    ADD COLUMN "testing_failures" INTEGER NOT NULL DEFAULT 0,
    ADD COLUMN "verification_failures" INTEGER NOT NULL DEFAULT 0,
    ADD COLUMN "deployment_failures" INTEGER NOT NULL DEFAULT 0;

-- The builds that are here already, from their audit as flushes count it: without rows that a reset has undone. That is
-- asked of the branches themselves, because the views would number a build's branches for each of its rows.
WITH "counted" AS (
    SELECT
        r."workflow_id",
        count(*) FILTER (WHERE r."kind" = 'handoff')::int AS "handoffs",
        count(*) FILTER (WHERE r."kind" = 'discovery')::int AS "discovery",
        count(*) FILTER (WHERE r."kind" = 'planning')::int AS "planning",
        count(*) FILTER (WHERE r."kind" = 'implementation')::int AS "implementation",
        count(*) FILTER (WHERE r."kind" = 'testing')::int AS "testing",
        count(*) FILTER (WHERE r."kind" = 'verification')::int AS "verification",
        count(*) FILTER (WHERE r."kind" = 'deployment')::int AS "deployment"
    FROM (
        SELECT "workflow_id", "branch", "seq", 'handoff' AS "kind" FROM "workflow_handoffs"
        UNION ALL
        SELECT "workflow_id", "branch", "seq", "event_data" ->> 'phase' FROM "workflow_events"
        WHERE "event_type" IN ('sent_back', 'parked')
    ) r
    JOIN "build_branches" own ON own."workflow_id" = r."workflow_id" AND own."branch" = r."branch"
    WHERE NOT EXISTS (
        SELECT FROM "build_branches" later
        WHERE later."workflow_id" = r."workflow_id"
            AND (later."opened_at", later."branch") > (own."opened_at", own."branch")
            AND later."first_seq" <= r."seq"
    )
    GROUP BY r."workflow_id"
)
UPDATE "build_workflows" b
SET
    "handoff_count" = c."handoffs",
    "discovery_failures" = c."discovery",
    "planning_failures" = c."planning",
    "implementation_failures" = c."implementation",
    "testing_failures" = c."testing",
    "verification_failures" = c."verification",
    "deployment_failures" = c."deployment"
FROM "counted" c
WHERE c."workflow_id" = b."id";

-- CreateIndex
CREATE INDEX "build_workflows_user_id_created_at_idx" ON "build_workflows"("user_id", "created_at");

-- CreateIndex
CREATE INDEX "build_workflows_project_id_user_id_created_at_idx" ON "build_workflows"("project_id", "user_id", "created_at");

-- CreateIndex
CREATE INDEX "build_workflows_status_current_state_created_at_idx" ON "build_workflows"("status", "current_state", "created_at");

-- CreateIndex
CREATE INDEX "build_workflows_project_stand_idx" ON "build_workflows"("project_id", "status", "current_state", "created_at", "handoff_count", "discovery_failures", "planning_failures", "implementation_failures", "testing_failures", "verification_failures", "deployment_failures");

-- Figures of a project's settled builds: those that are parked or over. Of the others there are few: they are counted
-- when they are asked for. A project's figures are spread over 16 rows, so that builds that settle at the same moment
-- seldom wait for one another.
-- CreateTable
CREATE TABLE "project_figures" (
    "project_id" TEXT NOT NULL,
    "shard" INTEGER NOT NULL,
    "error_builds" BIGINT NOT NULL,
    "complete_builds" BIGINT NOT NULL,
    "cancelled_builds" BIGINT NOT NULL,
    "complete_ms" BIGINT NOT NULL,
    "handoffs" BIGINT NOT NULL,
    "discovery_failures" BIGINT NOT NULL,
    "planning_failures" BIGINT NOT NULL,
    "implementation_failures" BIGINT NOT NULL,
    "testing_failures" BIGINT NOT NULL,
    "verification_failures" BIGINT NOT NULL,
    "deployment_failures" BIGINT NOT NULL,

    CONSTRAINT "project_figures_pkey" PRIMARY KEY ("project_id","shard")
);

INSERT INTO "project_figures"
SELECT
    "project_id",
    (hashtextextended("id", 0) & 15)::int,
    count(*) FILTER (WHERE "status" = 'error'),
    count(*) FILTER (WHERE "status" = 'complete'),
    count(*) FILTER (WHERE "status" = 'cancelled'),
    coalesce(sum((1000 * extract(epoch FROM "completed_at" - "created_at"))::bigint), 0),
    sum("handoff_count"),
    sum("discovery_failures"),
    sum("planning_failures"),
    sum("implementation_failures"),
    sum("testing_failures"),
    sum("verification_failures"),
    sum("deployment_failures")
FROM "build_workflows" WHERE "status" <> 'in_progress' GROUP BY 1, 2;

-- Keeps the figures true to the builds, whoever writes these: what a row was is taken away, what it became is added.
-- CreateFunction
CREATE FUNCTION "count_settled_build"() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    sign int;
    b "build_workflows";
BEGIN
    IF TG_OP = 'TRUNCATE' THEN
        DELETE FROM "project_figures";
        RETURN NULL;
    END IF;
    FOREACH sign IN ARRAY ARRAY[-1, 1] LOOP
        IF sign < 0 THEN b := OLD; ELSE b := NEW; END IF;
        CONTINUE WHEN b."id" IS NULL OR b."status" = 'in_progress';
        INSERT INTO "project_figures" AS known VALUES (
            b."project_id",
            (hashtextextended(b."id", 0) & 15)::int,
            sign * (b."status" = 'error')::int,
            sign * (b."status" = 'complete')::int,
            sign * (b."status" = 'cancelled')::int,
            coalesce(sign * (1000 * extract(epoch FROM b."completed_at" - b."created_at"))::bigint, 0),
            sign * b."handoff_count",
            sign * b."discovery_failures",
            sign * b."planning_failures",
            sign * b."implementation_failures",
            sign * b."testing_failures",
            sign * b."verification_failures",
            sign * b."deployment_failures"
        )
        ON CONFLICT ("project_id", "shard") DO UPDATE SET
            "error_builds" = known."error_builds" + excluded."error_builds",
            "complete_builds" = known."complete_builds" + excluded."complete_builds",
            "cancelled_builds" = known."cancelled_builds" + excluded."cancelled_builds",
            "complete_ms" = known."complete_ms" + excluded."complete_ms",
            "handoffs" = known."handoffs" + excluded."handoffs",
            "discovery_failures" = known."discovery_failures" + excluded."discovery_failures",
            "planning_failures" = known."planning_failures" + excluded."planning_failures",
            "implementation_failures" = known."implementation_failures" + excluded."implementation_failures",
            "testing_failures" = known."testing_failures" + excluded."testing_failures",
            "verification_failures" = known."verification_failures" + excluded."verification_failures",
            "deployment_failures" = known."deployment_failures" + excluded."deployment_failures";
    END LOOP;
    RETURN NULL;
END
$$;

-- CreateTrigger
CREATE TRIGGER "build_workflows_settled_new" AFTER INSERT ON "build_workflows" FOR EACH ROW
WHEN (NEW."status" <> 'in_progress') EXECUTE FUNCTION "count_settled_build"();

-- CreateTrigger
CREATE TRIGGER "build_workflows_settled_changed" AFTER UPDATE ON "build_workflows" FOR EACH ROW
WHEN (OLD."status" <> 'in_progress' OR NEW."status" <> 'in_progress') EXECUTE FUNCTION "count_settled_build"();

-- CreateTrigger
CREATE TRIGGER "build_workflows_settled_removed" AFTER DELETE ON "build_workflows" FOR EACH ROW
WHEN (OLD."status" <> 'in_progress') EXECUTE FUNCTION "count_settled_build"();

-- CreateTrigger
CREATE TRIGGER "build_workflows_settled_truncated" AFTER TRUNCATE ON "build_workflows" FOR EACH STATEMENT
EXECUTE FUNCTION "count_settled_build"();
