//! What the recipes share.
