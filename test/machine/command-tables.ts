/*
 * The state × command table, written out and read against the contract. Rows: how a build is driven and where it stands.
 * Events by letter: S phase_started, C phase_completed, A handoff_acknowledged, B sent_back, R retry_requested,
 * X rolled_back, P preempted, L late_result, K parked, U resumed, D completed, Z aborted, J signal_rejected.
 */

/** What a person's advance and retry do. A cell is `state:events/phases completed`, or `!code` of the refusal; `+` marks a handoff row. */
export const ADVANCE_AND_RETRY = `
build                                   | advance                  | from handoff               | wrong role   | wrong state  | retry
llm discovery                           | planning:PC+S/1          | !wrong_state               | !wrong_role  | !wrong_state | !nothing_before
llm planning                            | implementation:PC+AS/2   | !wrong_state               | !wrong_role  | !wrong_state | discovery:RS/0
llm implementation                      | testing:PC+AS/3          | !wrong_state               | !wrong_role  | !wrong_state | planning:R+S/1
llm testing                             | verification:PC+AS/4     | !wrong_state               | !wrong_role  | !wrong_state | implementation:R+S/2
llm verification                        | deployment:PC+AS/5       | !wrong_state               | !wrong_role  | !wrong_state | implementation:R+S/2
llm deployment                          | complete:PCD/6           | complete:PCD/6             | !wrong_role  | !wrong_state | verification:R+S/4
llm complete                            | !build_over              | !build_over                | !build_over  | !build_over  | !build_over
llm error<discovery                     | !wrong_state             | !wrong_state               | !wrong_state | !wrong_state | discovery:RUS/0
llm error<planning                      | !wrong_state             | !wrong_state               | !wrong_state | !wrong_state | planning:RUS/1
llm error<implementation                | !wrong_state             | !wrong_state               | !wrong_state | !wrong_state | implementation:RUS/2
llm error<testing                       | !wrong_state             | !wrong_state               | !wrong_state | !wrong_state | testing:RUS/3
llm error<verification                  | !wrong_state             | !wrong_state               | !wrong_state | !wrong_state | verification:RUS/4
llm error<deployment                    | !wrong_state             | !wrong_state               | !wrong_state | !wrong_state | deployment:RUS/5
llm error<testing limit                 | !wrong_state             | !wrong_state               | !wrong_state | !wrong_state | implementation:R+US/2
llm error<verification limit            | !wrong_state             | !wrong_state               | !wrong_state | !wrong_state | implementation:R+US/2
llm cancelled in planning               | !build_over              | !build_over                | !build_over  | !build_over  | !build_over
llm cancelled in error                  | !build_over              | !build_over                | !build_over  | !build_over  | !build_over
external discovery                      | planning:C+S/1           | !wrong_state               | !wrong_role  | !wrong_state | !nothing_before
external planning                       | handoff_to_coder:C+/2    | !wrong_state               | !wrong_role  | !wrong_state | discovery:RS/0
external implementation                 | handoff_to_tester:C+/3   | !wrong_state               | !wrong_role  | !wrong_state | planning:R+S/1
external testing                        | handoff_to_verifier:C+/4 | !wrong_state               | !wrong_role  | !wrong_state | implementation:R+S/2
external verification                   | handoff_to_releaser:C+/5 | !wrong_state               | !wrong_role  | !wrong_state | implementation:R+S/2
external deployment                     | complete:CD/6            | complete:CD/6              | !wrong_role  | !wrong_state | verification:R+S/4
external handoff_to_coder               | implementation:AS/2      | handoff_to_tester:ASC+/3   | !wrong_role  | !wrong_state | planning:RS/1
external handoff_to_tester              | testing:AS/3             | handoff_to_verifier:ASC+/4 | !wrong_role  | !wrong_state | implementation:RS/2
external handoff_to_verifier            | verification:AS/4        | handoff_to_releaser:ASC+/5 | !wrong_role  | !wrong_state | testing:RS/3
external handoff_to_releaser            | deployment:AS/5          | complete:ASCD/6            | !wrong_role  | !wrong_state | verification:RS/4
external complete                       | !build_over              | !build_over                | !build_over  | !build_over  | !build_over
external error<discovery                | !wrong_state             | !wrong_state               | !wrong_state | !wrong_state | discovery:RUS/0
external error<planning                 | !wrong_state             | !wrong_state               | !wrong_state | !wrong_state | planning:RUS/1
external error<implementation           | !wrong_state             | !wrong_state               | !wrong_state | !wrong_state | implementation:RUS/2
external error<testing                  | !wrong_state             | !wrong_state               | !wrong_state | !wrong_state | testing:RUS/3
external error<verification             | !wrong_state             | !wrong_state               | !wrong_state | !wrong_state | verification:RUS/4
external error<deployment               | !wrong_state             | !wrong_state               | !wrong_state | !wrong_state | deployment:RUS/5
external error<handoff_to_coder         | !wrong_state             | !wrong_state               | !wrong_state | !wrong_state | implementation:R+US/2
external error<handoff_to_tester        | !wrong_state             | !wrong_state               | !wrong_state | !wrong_state | testing:R+US/3
external error<handoff_to_verifier      | !wrong_state             | !wrong_state               | !wrong_state | !wrong_state | verification:R+US/4
external error<handoff_to_releaser      | !wrong_state             | !wrong_state               | !wrong_state | !wrong_state | deployment:R+US/5
external cancelled in handoff_to_tester | !build_over              | !build_over                | !build_over  | !build_over  | !build_over
gate running in handoff_to_tester       | testing:AS/3             | !gate_running              | !wrong_role  | !wrong_state | implementation:RS/2
gate running in testing                 | !gate_running            | !wrong_state               | !wrong_role  | !wrong_state | implementation:R+S/2
`;

/** What rollback and abort do. */
export const ROLLBACK_AND_ABORT = `
build                                   | to discovery    | to planning    | to implementation    | to testing    | to verification    | to deployment    | abort
llm discovery                           | discovery:XS/0  | !not_reached   | !not_reached         | !not_reached  | !not_reached       | !not_reached     | discovery:Z/0
llm planning                            | discovery:XS/0  | planning:XS/1  | !not_reached         | !not_reached  | !not_reached       | !not_reached     | planning:Z/1
llm implementation                      | discovery:XS/0  | planning:XS/1  | implementation:XS/2  | !not_reached  | !not_reached       | !not_reached     | implementation:Z/2
llm testing                             | discovery:XS/0  | planning:XS/1  | implementation:XS/2  | testing:XS/3  | !not_reached       | !not_reached     | testing:Z/3
llm verification                        | discovery:XS/0  | planning:XS/1  | implementation:XS/2  | testing:XS/3  | verification:XS/4  | !not_reached     | verification:Z/4
llm deployment                          | discovery:XS/0  | planning:XS/1  | implementation:XS/2  | testing:XS/3  | verification:XS/4  | deployment:XS/5  | deployment:Z/5
llm complete                            | !build_over     | !build_over    | !build_over          | !build_over   | !build_over        | !build_over      | !build_over
llm error<discovery                     | discovery:XUS/0 | !not_reached   | !not_reached         | !not_reached  | !not_reached       | !not_reached     | error:Z/0
llm error<planning                      | discovery:XUS/0 | planning:XUS/1 | !not_reached         | !not_reached  | !not_reached       | !not_reached     | error:Z/1
llm error<implementation                | discovery:XUS/0 | planning:XUS/1 | implementation:XUS/2 | !not_reached  | !not_reached       | !not_reached     | error:Z/2
llm error<testing                       | discovery:XUS/0 | planning:XUS/1 | implementation:XUS/2 | testing:XUS/3 | !not_reached       | !not_reached     | error:Z/3
llm error<verification                  | discovery:XUS/0 | planning:XUS/1 | implementation:XUS/2 | testing:XUS/3 | verification:XUS/4 | !not_reached     | error:Z/4
llm error<deployment                    | discovery:XUS/0 | planning:XUS/1 | implementation:XUS/2 | testing:XUS/3 | verification:XUS/4 | deployment:XUS/5 | error:Z/5
llm error<testing limit                 | discovery:XUS/0 | planning:XUS/1 | implementation:XUS/2 | testing:XUS/3 | !not_reached       | !not_reached     | error:Z/3
llm error<verification limit            | discovery:XUS/0 | planning:XUS/1 | implementation:XUS/2 | testing:XUS/3 | verification:XUS/4 | !not_reached     | error:Z/4
llm cancelled in planning               | !build_over     | !build_over    | !build_over          | !build_over   | !build_over        | !build_over      | !build_over
llm cancelled in error                  | !build_over     | !build_over    | !build_over          | !build_over   | !build_over        | !build_over      | !build_over
external discovery                      | discovery:XS/0  | !not_reached   | !not_reached         | !not_reached  | !not_reached       | !not_reached     | discovery:Z/0
external planning                       | discovery:XS/0  | planning:XS/1  | !not_reached         | !not_reached  | !not_reached       | !not_reached     | planning:Z/1
external implementation                 | discovery:XS/0  | planning:XS/1  | implementation:XS/2  | !not_reached  | !not_reached       | !not_reached     | implementation:Z/2
external testing                        | discovery:XS/0  | planning:XS/1  | implementation:XS/2  | testing:XS/3  | !not_reached       | !not_reached     | testing:Z/3
external verification                   | discovery:XS/0  | planning:XS/1  | implementation:XS/2  | testing:XS/3  | verification:XS/4  | !not_reached     | verification:Z/4
external deployment                     | discovery:XS/0  | planning:XS/1  | implementation:XS/2  | testing:XS/3  | verification:XS/4  | deployment:XS/5  | deployment:Z/5
external handoff_to_coder               | discovery:XS/0  | planning:XS/1  | !not_reached         | !not_reached  | !not_reached       | !not_reached     | handoff_to_coder:Z/2
external handoff_to_tester              | discovery:XS/0  | planning:XS/1  | implementation:XS/2  | !not_reached  | !not_reached       | !not_reached     | handoff_to_tester:Z/3
external handoff_to_verifier            | discovery:XS/0  | planning:XS/1  | implementation:XS/2  | testing:XS/3  | !not_reached       | !not_reached     | handoff_to_verifier:Z/4
external handoff_to_releaser            | discovery:XS/0  | planning:XS/1  | implementation:XS/2  | testing:XS/3  | verification:XS/4  | !not_reached     | handoff_to_releaser:Z/5
external complete                       | !build_over     | !build_over    | !build_over          | !build_over   | !build_over        | !build_over      | !build_over
external error<discovery                | discovery:XUS/0 | !not_reached   | !not_reached         | !not_reached  | !not_reached       | !not_reached     | error:Z/0
external error<planning                 | discovery:XUS/0 | planning:XUS/1 | !not_reached         | !not_reached  | !not_reached       | !not_reached     | error:Z/1
external error<implementation           | discovery:XUS/0 | planning:XUS/1 | implementation:XUS/2 | !not_reached  | !not_reached       | !not_reached     | error:Z/2
external error<testing                  | discovery:XUS/0 | planning:XUS/1 | implementation:XUS/2 | testing:XUS/3 | !not_reached       | !not_reached     | error:Z/3
external error<verification             | discovery:XUS/0 | planning:XUS/1 | implementation:XUS/2 | testing:XUS/3 | verification:XUS/4 | !not_reached     | error:Z/4
external error<deployment               | discovery:XUS/0 | planning:XUS/1 | implementation:XUS/2 | testing:XUS/3 | verification:XUS/4 | deployment:XUS/5 | error:Z/5
external error<handoff_to_coder         | discovery:XUS/0 | planning:XUS/1 | !not_reached         | !not_reached  | !not_reached       | !not_reached     | error:Z/2
external error<handoff_to_tester        | discovery:XUS/0 | planning:XUS/1 | implementation:XUS/2 | !not_reached  | !not_reached       | !not_reached     | error:Z/3
external error<handoff_to_verifier      | discovery:XUS/0 | planning:XUS/1 | implementation:XUS/2 | testing:XUS/3 | !not_reached       | !not_reached     | error:Z/4
external error<handoff_to_releaser      | discovery:XUS/0 | planning:XUS/1 | implementation:XUS/2 | testing:XUS/3 | verification:XUS/4 | !not_reached     | error:Z/5
external cancelled in handoff_to_tester | !build_over     | !build_over    | !build_over          | !build_over   | !build_over        | !build_over      | !build_over
gate running in handoff_to_tester       | discovery:XS/0  | planning:XS/1  | implementation:XS/2  | !not_reached  | !not_reached       | !not_reached     | handoff_to_tester:Z/3
gate running in testing                 | discovery:XS/0  | planning:XS/1  | implementation:XS/2  | testing:XS/3  | !not_reached       | !not_reached     | testing:Z/3
`;

/** What the workflow's own commands do. */
export const WORK = `
build                                   | complete_phase        | fail         | time_out     | measured             | late_result             | reject_signal
llm discovery                           | planning:C+S/1        | error:K/0    | error:K/0    | !wrong_state         | discovery:L/0           | discovery:J/0
llm planning                            | implementation:C+AS/2 | error:K/1    | error:K/1    | !wrong_state         | planning:L/1            | planning:J/1
llm implementation                      | testing:C+AS/3        | error:K/2    | error:K/2    | !wrong_state         | implementation:L/2      | implementation:J/2
llm testing                             | verification:C+AS/4   | error:K/3    | error:K/3    | !wrong_state         | testing:L/3             | testing:J/3
llm verification                        | deployment:C+AS/5     | error:K/4    | error:K/4    | !wrong_state         | verification:L/4        | verification:J/4
llm deployment                          | complete:CD/6         | error:K/5    | error:K/5    | !wrong_state         | deployment:L/5          | deployment:J/5
llm complete                            | !build_over           | !build_over  | !build_over  | !build_over          | complete:L/6            | complete:J/6
llm error<discovery                     | !wrong_state          | !wrong_state | !wrong_state | !wrong_state         | error:L/0               | error:J/0
llm error<planning                      | !wrong_state          | !wrong_state | !wrong_state | !wrong_state         | error:L/1               | error:J/1
llm error<implementation                | !wrong_state          | !wrong_state | !wrong_state | !wrong_state         | error:L/2               | error:J/2
llm error<testing                       | !wrong_state          | !wrong_state | !wrong_state | !wrong_state         | error:L/3               | error:J/3
llm error<verification                  | !wrong_state          | !wrong_state | !wrong_state | !wrong_state         | error:L/4               | error:J/4
llm error<deployment                    | !wrong_state          | !wrong_state | !wrong_state | !wrong_state         | error:L/5               | error:J/5
llm error<testing limit                 | !wrong_state          | !wrong_state | !wrong_state | !wrong_state         | error:L/3               | error:J/3
llm error<verification limit            | !wrong_state          | !wrong_state | !wrong_state | !wrong_state         | error:L/4               | error:J/4
llm cancelled in planning               | !build_over           | !build_over  | !build_over  | !build_over          | planning:L/1            | planning:J/1
llm cancelled in error                  | !build_over           | !build_over  | !build_over  | !build_over          | error:L/1               | error:J/1
external discovery                      | !wrong_role           | error:K/0    | error:K/0    | !wrong_state         | discovery:L/0           | discovery:J/0
external planning                       | !wrong_role           | error:K/1    | error:K/1    | !wrong_state         | planning:L/1            | planning:J/1
external implementation                 | !wrong_role           | error:K/2    | error:K/2    | !wrong_state         | implementation:L/2      | implementation:J/2
external testing                        | !wrong_role           | error:K/3    | error:K/3    | !wrong_state         | testing:L/3             | testing:J/3
external verification                   | !wrong_role           | error:K/4    | error:K/4    | !wrong_state         | verification:L/4        | verification:J/4
external deployment                     | !wrong_role           | error:K/5    | error:K/5    | !wrong_state         | deployment:L/5          | deployment:J/5
external handoff_to_coder               | !wrong_state          | error:K/2    | error:K/2    | !wrong_state         | handoff_to_coder:L/2    | handoff_to_coder:J/2
external handoff_to_tester              | !wrong_state          | error:K/3    | error:K/3    | !wrong_state         | handoff_to_tester:L/3   | handoff_to_tester:J/3
external handoff_to_verifier            | !wrong_state          | error:K/4    | error:K/4    | !wrong_state         | handoff_to_verifier:L/4 | handoff_to_verifier:J/4
external handoff_to_releaser            | !wrong_state          | error:K/5    | error:K/5    | !wrong_state         | handoff_to_releaser:L/5 | handoff_to_releaser:J/5
external complete                       | !build_over           | !build_over  | !build_over  | !build_over          | complete:L/6            | complete:J/6
external error<discovery                | !wrong_state          | !wrong_state | !wrong_state | !wrong_state         | error:L/0               | error:J/0
external error<planning                 | !wrong_state          | !wrong_state | !wrong_state | !wrong_state         | error:L/1               | error:J/1
external error<implementation           | !wrong_state          | !wrong_state | !wrong_state | !wrong_state         | error:L/2               | error:J/2
external error<testing                  | !wrong_state          | !wrong_state | !wrong_state | !wrong_state         | error:L/3               | error:J/3
external error<verification             | !wrong_state          | !wrong_state | !wrong_state | !wrong_state         | error:L/4               | error:J/4
external error<deployment               | !wrong_state          | !wrong_state | !wrong_state | !wrong_state         | error:L/5               | error:J/5
external error<handoff_to_coder         | !wrong_state          | !wrong_state | !wrong_state | !wrong_state         | error:L/2               | error:J/2
external error<handoff_to_tester        | !wrong_state          | !wrong_state | !wrong_state | !wrong_state         | error:L/3               | error:J/3
external error<handoff_to_verifier      | !wrong_state          | !wrong_state | !wrong_state | !wrong_state         | error:L/4               | error:J/4
external error<handoff_to_releaser      | !wrong_state          | !wrong_state | !wrong_state | !wrong_state         | error:L/5               | error:J/5
external cancelled in handoff_to_tester | !build_over           | !build_over  | !build_over  | !build_over          | handoff_to_tester:L/3   | handoff_to_tester:J/3
gate running in handoff_to_tester       | !wrong_state          | error:K/3    | error:K/3    | handoff_to_tester:/3 | handoff_to_tester:L/3   | handoff_to_tester:J/3
gate running in testing                 | !wrong_role           | error:K/3    | error:K/3    | testing:/3           | testing:L/3             | testing:J/3
`;
