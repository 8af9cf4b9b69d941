-- A project's events are read in the order of their ids, behind any of them.
-- AlterTable
ALTER TABLE "workflow_events" ADD COLUMN "project_id" TEXT;

UPDATE "workflow_events" SET "project_id" = "build_workflows"."project_id"
FROM "build_workflows" WHERE "build_workflows"."id" = "workflow_events"."workflow_id";

-- AlterTable
ALTER TABLE "workflow_events" ALTER COLUMN "project_id" SET NOT NULL;

-- CreateIndex
CREATE INDEX "workflow_events_project_id_id_idx" ON "workflow_events"("project_id", "id");
