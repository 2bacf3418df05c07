//! The debug hooks: layouts, fills, contents over random operations, and every report word by word.

mod layout;
mod model;
mod reports;
