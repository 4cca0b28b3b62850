//! Carries a Plan out: waves, gates, cancellation, receipts.
