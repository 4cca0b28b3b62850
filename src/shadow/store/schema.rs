//! The tables. A change of them is a new version; a newer one than ours is refused.

/// The version that this program writes, in `user_version`.
pub(super) const VERSION: i64 = 1;

/// Version 1.
pub(super) const TABLES: &str = "
create table experiments (
  id integer primary key,
  fingerprint text not null unique,
  parts text not null,
  started integer not null
) strict;
create table pairs (
  id integer primary key,
  experiment integer not null references experiments(id),
  item text not null,
  content text not null,
  at integer not null,
  reference_state text not null,
  reference_score real,
  reference_tier integer,
  reference_seconds real,
  tokens_in integer,
  tokens_out integer,
  local_state text,
  local_score real,
  local_tier integer,
  local_seconds real,
  conditions text,
  input text,
  reference_text text,
  local_text text,
  unique (experiment, item)
) strict;
create table repeats (
  experiment integer not null references experiments(id),
  item text not null,
  at integer not null,
  state text not null,
  score real,
  tier integer,
  tokens_in integer,
  tokens_out integer,
  primary key (experiment, item)
) strict;
create table decisions (
  id integer primary key,
  at text not null,
  kind text not null,
  rung_from text not null,
  rung_to text not null,
  decided_by text not null,
  fingerprint text not null,
  pairs integer not null,
  evidence text not null
) strict;
";
