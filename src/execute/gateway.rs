//! A gateway leaves a machine out while it is drained: what the machine is asked meanwhile comes from those who ask it directly, and from nobody else.
//!
//! The note on the gateway's machine runs out by itself, so that a laptop that is gone leaves nobody out for good.

use std::time::Duration;

use crate::fleet::{Machine, MachineName};
use crate::transport::{As, Connector, RunError, quote};

const JSON: &str = include_str!("../../templates/json.sh");
const LEAVE_OUT: &str = include_str!("../../templates/gateway/leave-out.sh");

/// What the script may take: its three minutes and a slow connection.
const WITHIN: Duration = Duration::from_mins(4);

/// Tells every gateway to send a machine nothing for at most `until_then`, and waits until they do. One note for each that does not.
pub(super) async fn leave_out(
    connector: &Connector,
    gateways: &[Machine],
    machine: &MachineName,
    until_then: Duration,
) -> Vec<String> {
    let mut notes = Vec::new();
    for gateway in gateways {
        let note = match tell(connector, gateway, machine, until_then).await {
            Ok(said) if said == "done" || said == "none" => continue,
            Ok(said) if said == "late" => "did not leave it out within three minutes".to_owned(),
            Ok(_) => "could not be told to leave it out: it gave no answer".to_owned(),
            Err(error) => format!("could not be told to leave it out: {error}"),
        };
        notes.push(format!("the gateway on {} {note}; its requests moved on by themselves", gateway.name));
    }
    notes
}

/// Tells every gateway to send the machine its share again. One note for each that could not be told.
pub(super) async fn let_in(connector: &Connector, gateways: &[Machine], machine: &MachineName) -> Vec<String> {
    let mut notes = Vec::new();
    for gateway in gateways {
        if let Err(error) = tell(connector, gateway, machine, Duration::ZERO).await {
            notes.push(format!(
                "the gateway on {} could not be told to send it requests again ({error}); it does so by itself within the hour",
                gateway.name
            ));
        }
    }
    notes
}

async fn tell(
    connector: &Connector,
    gateway: &Machine,
    machine: &MachineName,
    until_then: Duration,
) -> Result<String, RunError> {
    let remote = connector.connect(gateway).await?;
    let output = remote.run(As::Root, &script(machine, until_then), WITHIN).await?;
    Ok(output.text().trim().to_owned())
}

fn script(machine: &MachineName, until_then: Duration) -> String {
    format!(
        "LC_ALL=C\nPATH=/usr/bin:/bin:/usr/sbin:/sbin\nexport LC_ALL PATH\n{JSON}\nLEAVE_MACHINE={}\nLEAVE_SECONDS={}\n{LEAVE_OUT}",
        quote(machine.as_str()),
        until_then.as_secs()
    )
}
