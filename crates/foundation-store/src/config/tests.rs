//! Tests of documents: head, published, and what of the journal they follow.
