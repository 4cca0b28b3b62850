//! The versioned JSON documents of json.md, one file a verb: types of their own, apart from the domain.
