//! What can be typed: clap types, nothing else. Meaning is given to it in `command`.

mod adopt;
mod apply;
mod bench;
mod by_hand;
mod capacity;
mod completions;
mod doctor;
mod explain;
mod gateway;
mod global;
mod init;
mod jobs;
mod man;
mod models;
mod plan;
mod render;
mod resolve;
mod resolver;
mod schedule;
mod shadow;
mod simulate;
mod status;

use clap::{Parser, Subcommand};

pub(crate) use adopt::AdoptArgs;
pub(crate) use apply::{ApplyArgs, CarryOutArgs, HistoryArgs, RemoveArgs, RollbackArgs};
pub(crate) use bench::BenchArgs;
pub(crate) use by_hand::{DrainArgs, LoadArgs, LogsArgs, StartArgs, StopArgs, TailArgs, UnloadArgs};
pub(crate) use capacity::CapacityArgs;
pub(crate) use completions::CompletionsArgs;
pub(crate) use doctor::DoctorArgs;
pub(crate) use explain::ExplainArgs;
pub(crate) use gateway::{GatewayArgs, GatewayCommand, GatewayEngineName, GatewayRenderArgs};
pub(crate) use global::{ColorWhen, FLEET_FILE, GlobalArgs, OnUnreachable};
pub(crate) use init::InitArgs;
pub(crate) use jobs::{JobsAction, JobsArgs, JobsLogArgs, JobsRunArgs};
pub(crate) use man::ManArgs;
pub(crate) use models::{ModelsAction, ModelsArgs, ModelsPruneArgs, ModelsSyncArgs};
pub(crate) use plan::PlanArgs;
pub(crate) use render::RenderArgs;
pub(crate) use resolve::ResolveArgs;
pub(crate) use resolver::ResolverArgs;
pub(crate) use schedule::ScheduleArgs;
pub(crate) use shadow::{
    ShadowAction, ShadowArgs, ShadowDemoteArgs, ShadowGuardArgs, ShadowHaltArgs, ShadowImportArgs, ShadowMode,
    ShadowPromoteArgs, ShadowReportArgs, ShadowRunArgs,
};
pub(crate) use simulate::SimulateArgs;
pub(crate) use status::StatusArgs;

/// The control plane for a fleet of Apple Silicon Macs that serve language models with oMLX
#[derive(Debug, Parser)]
#[command(name = "fleetctl", version, propagate_version = true, max_term_width = 100, disable_help_subcommand = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: GlobalArgs,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// One variant a verb, in the order of cli.md.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Write a first fleet file from the tailnet and, with --probe, from what runs on its Macs
    Init(InitArgs),
    /// Show every problem of the fleet file
    Check,
    /// Write what each machine would get, without a network
    Render(RenderArgs),
    /// Compare with the machines: what would change, what that disturbs, and why
    Plan(PlanArgs),
    /// Carry the plan out: in waves, gated on health, reverted where health does not come
    Apply(ApplyArgs),
    /// The generations that a machine keeps: when, who, what
    History(HistoryArgs),
    /// Go back to an earlier generation of a machine
    Rollback(RollbackArgs),
    /// Take over an oMLX that runs on a machine already; a rollback gives it back
    Adopt(AdoptArgs),
    /// Take everything that fleetctl owns off a machine; models and oMLX stay
    Remove(RemoveArgs),
    /// Every machine: reach, oMLX, served names, memory, drift, alerts; then slots, jobs and transitions
    Status(StatusArgs),
    /// Load a name now
    Load(LoadArgs),
    /// Unload a name now; a resident one is then shown as held
    Unload(UnloadArgs),
    /// Show a daemon's log
    Logs(LogsArgs),
    /// Start a daemon; ends a hold
    Start(StartArgs),
    /// Stop a daemon, also over reboots; it is then shown as held
    Stop(StopArgs),
    /// Restart a daemon once it is idle
    Restart(StopArgs),
    /// Where a slot goes now: the model, profile and machine, the base URL, and why
    Resolve(ResolveArgs),
    /// Where every slot goes when machines are gone
    Simulate(SimulateArgs),
    /// The gateway: the router's configuration
    Gateway(GatewayArgs),
    /// Run the resolver service: it answers where a slot goes; no prompt passes through it
    Resolver(ResolverArgs),
    /// The coming transitions: when, where, what loads and unloads, what it costs
    Schedule(ScheduleArgs),
    /// Timed commands: their last and next runs; run one now; its log
    Jobs(JobsArgs),
    /// Will it fit, per machine and window: weights, drafts, caches, scratch; the largest context; what alternates
    Capacity(CapacityArgs),
    /// Which weights are where, how large, and what is missing; copy from the hub; remove what is named
    Models(ModelsArgs),
    /// How fast, and how near to what the memory allows: time to the first token, prefill and decode speed
    Bench(BenchArgs),
    /// What keeps a machine from working, with the command that mends it
    Doctor(DoctorArgs),
    /// A local slot earns a cloud model's work: run, import, report, promote, demote, halt, guard
    Shadow(ShadowArgs),
    /// Explain a code, or list all of them
    Explain(ExplainArgs),
    /// Print the JSON Schema of the fleet file
    Schema,
    /// Print a man page (roff)
    Man(ManArgs),
    /// Print shell completions
    Completions(CompletionsArgs),
    /// Edit the fleet file: it is replaced only when it has no error
    Edit,
}
