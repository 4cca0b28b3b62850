//! What ended on a machine while nobody watched: the laptop was closed, killed or cut. The receipts that such runs leave open are closed by the next apply.

use jiff::Timestamp;

use super::Context;
use crate::execute::{MachineReport, Receipt};
use crate::fleet::MachineName;
use crate::observe::Observed;
use crate::ui::json::Alert;

use super::status::alert::{self, alert};

impl Context {
    fn open_receipts(&self, fleet: &str) -> Vec<Receipt> {
        self.env.state_directory().map_or_else(Vec::new, |state| Receipt::left_open(&state, fleet))
    }

    /// Closes what the machines can tell the end of, and says it.
    pub(crate) fn close_receipts<'a>(
        &self,
        fleet: &str,
        machines: impl Iterator<Item = (&'a MachineName, &'a Observed)>,
    ) {
        let mut receipts = self.open_receipts(fleet);
        for (machine, observed) in machines {
            for receipt in &mut receipts {
                let Some(report) = outcome(receipt, machine, observed) else { continue };
                self.ui.status(&format!("{machine}: {}", ended(receipt, &report)));
                if let Err(error) = receipt.learn(&report, self.clock.now()) {
                    self.ui.warn(&format!("a receipt cannot be closed: {error}"));
                }
            }
        }
    }

    /// What the next apply will close, as alerts with their machines.
    pub(crate) fn ended_unseen<'a>(
        &self,
        fleet: &str,
        machines: impl Iterator<Item = (&'a MachineName, &'a Observed)>,
    ) -> Vec<(&'a MachineName, Alert)> {
        let receipts = self.open_receipts(fleet);
        let mut alerts = Vec::new();
        for (machine, observed) in machines {
            for receipt in &receipts {
                if let Some(report) = outcome(receipt, machine, observed) {
                    alerts.push((machine, alert(&alert::APPLY_ENDED_UNSEEN, ended(receipt, &report))));
                }
            }
        }
        alerts
    }
}

fn outcome(receipt: &Receipt, machine: &MachineName, observed: &Observed) -> Option<MachineReport> {
    receipt.outcome(machine, observed.result.as_ref(), observed.record.as_ref())
}

/// In one line: which run, and how it ended.
fn ended(receipt: &Receipt, report: &MachineReport) -> String {
    let (began, verb) = receipt.occasion();
    let began =
        began.parse().map_or_else(|_| began.to_owned(), |at: Timestamp| at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string());
    let generation = report.generation.map(|number| format!(", generation {number}")).unwrap_or_default();
    let why = report.detail.as_deref().map(|detail| format!(": {detail}")).unwrap_or_default();
    format!("the {verb} of {began} ended while nobody watched: {}{generation}{why}", report.result.as_str())
}
