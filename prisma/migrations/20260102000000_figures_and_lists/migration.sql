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
CREATE INDEX "build_workflows_project_figures_idx" ON "build_workflows"("project_id", "status", "current_state", "created_at", "completed_at", "handoff_count", "discovery_failures", "planning_failures", "implementation_failures", "testing_failures", "verification_failures", "deployment_failures");
