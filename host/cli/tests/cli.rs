//! The binary as people use it: exit code, stdout and stderr of every verb, and every error that
//! the command line, settings, files and the ledger can provoke.

#[path = "cli/author_advice.rs"]
mod author_advice;
#[path = "cli/authors.rs"]
mod authors;
#[path = "cli/case_policy.rs"]
mod case_policy;
#[path = "cli/conformance.rs"]
mod conformance;
#[path = "cli/deliveries.rs"]
mod deliveries;
#[path = "cli/demo.rs"]
mod demo;
#[path = "cli/each_write.rs"]
mod each_write;
#[path = "cli/error_folders.rs"]
mod error_folders;
#[path = "cli/errors.rs"]
mod errors;
#[path = "cli/flow.rs"]
mod flow;
#[path = "cli/full_disk.rs"]
mod full_disk;
#[path = "cli/labels.rs"]
mod labels;
#[path = "cli/logging.rs"]
mod logging;
#[path = "cli/metrics.rs"]
mod metrics;
#[path = "cli/more_dimensions.rs"]
mod more_dimensions;
#[path = "cli/names.rs"]
mod names;
#[path = "cli/native_bills.rs"]
mod native_bills;
#[path = "cli/old_ledger.rs"]
mod old_ledger;
#[path = "cli/operation.rs"]
mod operation;
#[path = "cli/periods.rs"]
mod periods;
#[path = "cli/plan_rules.rs"]
mod plan_rules;
#[path = "cli/plans.rs"]
mod plans;
#[path = "cli/queries.rs"]
mod queries;
#[path = "cli/scene.rs"]
mod scene;
#[path = "cli/secrets.rs"]
mod secrets;
#[path = "cli/server.rs"]
mod server;
#[path = "cli/serving.rs"]
mod serving;
#[path = "cli/settings.rs"]
mod settings;
#[path = "cli/source_check.rs"]
mod source_check;
#[path = "cli/source_check_ledger.rs"]
mod source_check_ledger;
#[path = "cli/sources.rs"]
mod sources;
#[path = "cli/start.rs"]
mod start;
#[path = "cli/stories.rs"]
mod stories;
#[path = "cli/text_forms.rs"]
mod text_forms;
#[path = "cli/trust.rs"]
mod trust;
#[path = "cli/usage.rs"]
mod usage;
