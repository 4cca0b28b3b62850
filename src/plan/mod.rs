//! Bundle × Observed → Plan: changes, cheapest actions, reasons, diffs. Pure; leaves execution no choice.
