//! What each oMLX release understands: fields, ranges, budgets, what takes effect when; its API's types. Pure tables and arithmetic.
