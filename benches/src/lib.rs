//! What the programs of this package share: the bodies that loops run, statistics, and Markdown.

pub mod body;
pub mod cpu;
pub mod machine;
pub mod markdown;
pub mod stats;
