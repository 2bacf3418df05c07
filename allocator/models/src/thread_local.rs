// A thread's heap and whether it is late. Included once for every copy of the code.

use std::cell::Cell;

use super::heap::ThreadHeap;

pub(crate) static EMPTY: ThreadHeap = ThreadHeap::empty();

loom::thread_local! {
    static HEAP: Cell<*const ThreadHeap> = Cell::new(&raw const EMPTY);
    static LATE: Cell<bool> = Cell::new(false);
}

pub(crate) fn heap() -> *mut ThreadHeap {
    HEAP.with(|heap| heap.get().cast_mut())
}

pub(crate) fn is_empty(heap: *mut ThreadHeap) -> bool {
    std::ptr::eq(heap, &raw const EMPTY)
}

pub(crate) fn set_heap(heap: *const ThreadHeap) {
    HEAP.with(|place| place.set(heap));
}

pub(crate) fn is_late() -> bool {
    LATE.with(Cell::get)
}

pub(crate) fn set_late() {
    LATE.with(|late| late.set(true));
}

pub(crate) fn forking() -> bool {
    false
}
