//! A bounded last-in-first-out list of dead objects that an interpreter type keeps for reuse.
//!
//! What a free list serves never reaches the allocator, which is why the generators model them.

pub(super) struct FreeList<T> {
    kept: Vec<T>,
    capacity: usize,
}

impl<T> FreeList<T> {
    /// An empty list; with capacity 0 it never keeps anything.
    pub(super) fn new(capacity: usize) -> Self {
        FreeList { kept: Vec::new(), capacity }
    }

    /// The object kept last, if any.
    pub(super) fn take(&mut self) -> Option<T> {
        self.kept.pop()
    }

    /// Keeps the object, or hands it back when the list is full.
    pub(super) fn give(&mut self, object: T) -> Option<T> {
        if self.kept.len() == self.capacity {
            return Some(object);
        }
        self.kept.push(object);
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_come_back_last_in_first_out_up_to_the_capacity() {
        let mut list = FreeList::new(2);
        assert_eq!(
            (list.take(), list.give(1), list.give(2), list.give(3)),
            (None, None, None, Some(3))
        );
        assert_eq!((list.take(), list.take(), list.take()), (Some(2), Some(1), None));
    }

    #[test]
    fn a_list_of_capacity_0_keeps_nothing() {
        let mut list = FreeList::new(0);
        assert_eq!((list.give(1), list.take()), (Some(1), None));
    }
}
