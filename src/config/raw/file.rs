//! The file, `[fleet]` and `[machines.NAME]`.

use serde_json::json;

use super::{
    RawGateway, RawHub, RawJob, RawModel, RawOmlx, RawProfile, RawResolver, RawSchedule, RawServe, RawShadow, RawSlot,
};
use crate::config::node::Spanned;
use crate::config::read::{Map, raw_table};

raw_table! {
    /// The whole fleet, declared once.
    RawFile requires ["schema", "fleet", "omlx", "machines"] {
        /// The version of this format: 1.
        schema: Spanned<i64> = json!({ "const": 1 }),
        /// The fleet as a whole.
        fleet: RawFleet,
        /// oMLX, for every machine.
        omlx: RawOmlx,
        /// The machines.
        machines: Map<RawMachine>,
        /// Weights: directories of files, as downloaded.
        models: Map<RawModel>,
        /// Profiles: oMLX's per-model settings by oMLX's own names.
        profiles: Map<RawProfile>,
        /// Served names: what a machine's oMLX answers to. From 0.5.0 on `"NAME:PROFILE"` is a second name of NAME's engine (docs/upgrading.md).
        serve: Map<RawServe>,
        /// Slots: what applications ask for.
        slots: Map<RawSlot>,
        /// What is resident on a machine, and where slots go, while a window is open.
        schedules: Map<RawSchedule>,
        /// Timed commands, as launchd daemons.
        jobs: Map<RawJob>,
        /// One OpenAI-compatible address where the model name is the slot.
        gateway: RawGateway,
        /// A resident that answers "where is this slot now".
        resolver: RawResolver,
        /// Where weights are kept, and how the other machines see it.
        hub: RawHub,
        /// A local slot earns a cloud model's work by agreeing with it on real inputs.
        shadow: Map<RawShadow>,
    }

    /// The fleet as a whole.
    RawFleet requires ["name", "timezone"] {
        /// The fleet's name: a machine that belongs to another fleet is refused.
        name: Spanned<String>,
        /// The zone in which every window and job is meant, of the IANA database.
        timezone: Spanned<String>,
        /// The MagicDNS suffix: a machine is reached at <machine>.<tailnet>.
        tailnet: Spanned<String>,
        /// Logs in over SSH; oMLX runs as this user.
        user: Spanned<String>,
        /// The user's home on the machines; default /Users/<user>.
        home: Spanned<String>,
        /// How long a machine may take to become healthy after a change; default "10m".
        gate: Spanned<String>,
        /// SSH connections stay open this long for the next command.
        keep_connection: Spanned<String>,
    }

    /// A Mac.
    RawMachine requires ["chip", "memory"] {
        /// A free label: select with tier:LABEL.
        tier: Spanned<String>,
        /// Apple's name of the chip, as in "M3 Ultra".
        chip: Spanned<String>,
        /// Its memory, as in "96GB".
        memory: Spanned<String>,
        /// CPU cores.
        cores: Spanned<i64> = json!({ "minimum": 1 }),
        /// An address on the local network, raced with the tailnet name under the same SSH host key.
        lan: Spanned<String>,
        /// `iogpu.wired_limit_mb`, set again at each boot by a daemon.
        gpu_limit: Spanned<String>,
        /// A remark.
        note: Spanned<String>,
        /// Instead of <machine>.<tailnet>; "local" is the computer fleetctl runs on.
        address: Spanned<String>,
        /// The SSH port.
        ssh_port: Spanned<i64> = json!({ "minimum": 1, "maximum": 65535 }),
        /// Where it differs from the fleet's.
        user: Spanned<String>,
        /// Where it differs from the fleet's.
        home: Spanned<String>,
        /// The zone of the machine's own clock, where it differs from the fleet's.
        timezone: Spanned<String>,
        /// Its tailnet address; else asked of the machine.
        tailnet_ip: Spanned<String>,
        /// Overrides [omlx] key by key.
        omlx: RawOmlx,
    }
}
