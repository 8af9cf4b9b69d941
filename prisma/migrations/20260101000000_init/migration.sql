-- CreateEnum
CREATE TYPE "build_state" AS ENUM ('discovery', 'planning', 'handoff_to_coder', 'implementation', 'handoff_to_tester', 'testing', 'handoff_to_verifier', 'verification', 'handoff_to_releaser', 'deployment', 'complete', 'error');

-- CreateEnum
CREATE TYPE "build_status" AS ENUM ('in_progress', 'error', 'complete', 'cancelled');

-- CreateEnum
CREATE TYPE "build_phase" AS ENUM ('discovery', 'planning', 'implementation', 'testing', 'verification', 'deployment');

-- CreateEnum
CREATE TYPE "build_role" AS ENUM ('q_assistant', 'code_writer', 'test_auditor', 'verification_overseer', 'release_manager');

-- CreateEnum
CREATE TYPE "audit_trigger" AS ENUM ('q_assistant', 'code_writer', 'test_auditor', 'verification_overseer', 'release_manager', 'operator', 'system');

-- CreateTable
CREATE TABLE "build_workflows" (
    "id" TEXT NOT NULL,
    "build_id" TEXT NOT NULL,
    "project_id" TEXT NOT NULL,
    "user_id" TEXT NOT NULL,
    "current_state" "build_state" NOT NULL,
    "status" "build_status" NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,
    "completed_at" TIMESTAMPTZ(3),
    "discovery_phase" JSONB,
    "planning_phase" JSONB,
    "implementation_phase" JSONB,
    "testing_phase" JSONB,
    "verification_phase" JSONB,
    "deployment_phase" JSONB,
    "workflow_metadata" JSONB NOT NULL,
    "branch" TEXT NOT NULL,
    "run_id" TEXT NOT NULL,
    "opened_at" TIMESTAMPTZ(3) NOT NULL,
    "last_seq" INTEGER NOT NULL,

    CONSTRAINT "build_workflows_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "build_branches" (
    "workflow_id" TEXT NOT NULL,
    "branch" TEXT NOT NULL,
    "first_seq" INTEGER NOT NULL,
    "opened_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "build_branches_pkey" PRIMARY KEY ("workflow_id","branch")
);

-- CreateTable
CREATE TABLE "workflow_events" (
    "id" BIGSERIAL NOT NULL,
    "workflow_id" TEXT NOT NULL,
    "branch" TEXT NOT NULL,
    "seq" INTEGER NOT NULL,
    "run_id" TEXT NOT NULL,
    "event_type" TEXT NOT NULL,
    "triggered_by" "audit_trigger" NOT NULL,
    "event_data" JSONB NOT NULL,
    "attempt" INTEGER,
    "timestamp" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "workflow_events_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "workflow_handoffs" (
    "id" BIGSERIAL NOT NULL,
    "workflow_id" TEXT NOT NULL,
    "branch" TEXT NOT NULL,
    "seq" INTEGER NOT NULL,
    "run_id" TEXT NOT NULL,
    "from_role" "build_role" NOT NULL,
    "to_role" "build_role" NOT NULL,
    "from_state" "build_state" NOT NULL,
    "to_state" "build_state" NOT NULL,
    "data_transferred" JSONB NOT NULL,
    "notes" TEXT,
    "attempt" INTEGER,
    "timestamp" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "workflow_handoffs_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "workflow_model_calls" (
    "workflow_id" TEXT NOT NULL,
    "branch" TEXT NOT NULL,
    "phase" "build_phase" NOT NULL,
    "attempt" INTEGER NOT NULL,
    "call_id" TEXT NOT NULL,
    "model" TEXT NOT NULL,
    "provider" TEXT NOT NULL,
    "prompt_tokens" INTEGER NOT NULL,
    "completion_tokens" INTEGER NOT NULL,
    "duration_ms" INTEGER NOT NULL,
    "outcome" TEXT NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "workflow_model_calls_pkey" PRIMARY KEY ("workflow_id","branch","phase","attempt","call_id")
);

-- CreateIndex
CREATE UNIQUE INDEX "build_workflows_build_id_key" ON "build_workflows"("build_id");

-- CreateIndex
CREATE INDEX "build_workflows_project_id_idx" ON "build_workflows"("project_id");

-- CreateIndex
CREATE INDEX "build_workflows_user_id_idx" ON "build_workflows"("user_id");

-- CreateIndex
CREATE INDEX "build_workflows_current_state_idx" ON "build_workflows"("current_state");

-- CreateIndex
CREATE INDEX "build_workflows_created_at_idx" ON "build_workflows"("created_at");

-- CreateIndex
CREATE INDEX "workflow_events_workflow_id_idx" ON "workflow_events"("workflow_id");

-- CreateIndex
CREATE INDEX "workflow_events_event_type_idx" ON "workflow_events"("event_type");

-- CreateIndex
CREATE INDEX "workflow_events_timestamp_idx" ON "workflow_events"("timestamp");

-- CreateIndex
CREATE UNIQUE INDEX "workflow_events_workflow_id_branch_seq_key" ON "workflow_events"("workflow_id", "branch", "seq");

-- CreateIndex
CREATE INDEX "workflow_handoffs_workflow_id_idx" ON "workflow_handoffs"("workflow_id");

-- CreateIndex
CREATE INDEX "workflow_handoffs_from_role_to_role_idx" ON "workflow_handoffs"("from_role", "to_role");

-- CreateIndex
CREATE INDEX "workflow_handoffs_timestamp_idx" ON "workflow_handoffs"("timestamp");

-- CreateIndex
CREATE UNIQUE INDEX "workflow_handoffs_workflow_id_branch_seq_key" ON "workflow_handoffs"("workflow_id", "branch", "seq");

-- CreateIndex
CREATE INDEX "workflow_model_calls_model_idx" ON "workflow_model_calls"("model");

-- AddForeignKey
ALTER TABLE "build_branches" ADD CONSTRAINT "build_branches_workflow_id_fkey" FOREIGN KEY ("workflow_id") REFERENCES "build_workflows"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "workflow_events" ADD CONSTRAINT "workflow_events_workflow_id_fkey" FOREIGN KEY ("workflow_id") REFERENCES "build_workflows"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "workflow_handoffs" ADD CONSTRAINT "workflow_handoffs_workflow_id_fkey" FOREIGN KEY ("workflow_id") REFERENCES "build_workflows"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "workflow_model_calls" ADD CONSTRAINT "workflow_model_calls_workflow_id_fkey" FOREIGN KEY ("workflow_id") REFERENCES "build_workflows"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddCheck
ALTER TABLE "build_workflows"
    ADD CONSTRAINT "build_workflows_last_seq_check" CHECK ("last_seq" >= 0),
    ADD CONSTRAINT "build_workflows_completed_at_check" CHECK (("status" = 'complete') = ("completed_at" IS NOT NULL));

-- AddCheck
ALTER TABLE "build_branches" ADD CONSTRAINT "build_branches_first_seq_check" CHECK ("first_seq" > 0);

-- AddCheck
ALTER TABLE "workflow_events" ADD CONSTRAINT "workflow_events_seq_check" CHECK ("seq" > 0);

-- AddCheck
ALTER TABLE "workflow_handoffs" ADD CONSTRAINT "workflow_handoffs_seq_check" CHECK ("seq" > 0);

-- AddCheck
ALTER TABLE "workflow_model_calls"
    ADD CONSTRAINT "workflow_model_calls_attempt_check" CHECK ("attempt" > 0),
    ADD CONSTRAINT "workflow_model_calls_cost_check" CHECK ("prompt_tokens" >= 0 AND "completion_tokens" >= 0 AND "duration_ms" >= 0);

-- Branches in the order in which they were opened: generation 1 is the first, every reset makes the next.
-- CreateView
CREATE VIEW "audit_branches" AS
SELECT "workflow_id", "branch", "first_seq", "opened_at",
    (row_number() OVER (PARTITION BY "workflow_id" ORDER BY "opened_at", "branch"))::int AS "generation"
FROM "build_branches";

-- A row is undone by a reset when a later branch begins at its sequence number or before it.
-- CreateView
CREATE VIEW "audit_events" AS
SELECT
    r."id", r."workflow_id", r."branch", r."seq", r."run_id", r."event_type", r."triggered_by", r."event_data",
    r."attempt", r."timestamp",
    coalesce(own."generation", 0) AS "generation",
    EXISTS (
        SELECT FROM "audit_branches" later
        WHERE later."workflow_id" = r."workflow_id"
            AND later."generation" > own."generation"
            AND later."first_seq" <= r."seq"
    ) AS "before_reset"
FROM "workflow_events" r
LEFT JOIN "audit_branches" own ON own."workflow_id" = r."workflow_id" AND own."branch" = r."branch";

-- CreateView
CREATE VIEW "current_events" AS
SELECT
    "id", "workflow_id", "branch", "seq", "run_id", "event_type", "triggered_by", "event_data", "attempt",
    "timestamp"
FROM "audit_events" WHERE NOT "before_reset";

-- A row is undone by a reset when a later branch begins at its sequence number or before it.
-- CreateView
CREATE VIEW "audit_handoffs" AS
SELECT
    r."id", r."workflow_id", r."branch", r."seq", r."run_id", r."from_role", r."to_role", r."from_state",
    r."to_state", r."data_transferred", r."notes", r."attempt", r."timestamp",
    coalesce(own."generation", 0) AS "generation",
    EXISTS (
        SELECT FROM "audit_branches" later
        WHERE later."workflow_id" = r."workflow_id"
            AND later."generation" > own."generation"
            AND later."first_seq" <= r."seq"
    ) AS "before_reset"
FROM "workflow_handoffs" r
LEFT JOIN "audit_branches" own ON own."workflow_id" = r."workflow_id" AND own."branch" = r."branch";

-- CreateView
CREATE VIEW "current_handoffs" AS
SELECT
    "id", "workflow_id", "branch", "seq", "run_id", "from_role", "to_role", "from_state", "to_state",
    "data_transferred", "notes", "attempt", "timestamp"
FROM "audit_handoffs" WHERE NOT "before_reset";
