"""What Python calls in a library of products: any way to compute y = W x.

Python cannot catch what Mojo raises, so the error's text is returned in a buffer.
"""

comptime Ptr = Pointer[Float32, MutUnsafeAnyOrigin]
comptime Text = Pointer[UInt8, MutUnsafeAnyOrigin]
comptime ROOM = 1000  # bytes for an error's text, as in mojo_module.py

comptime Product = def(Ptr, Ptr, Ptr, Int, Int) raises thin -> None
comptime Row = def(Ptr, Ptr, Int) raises thin -> Float32


def by_rows[row: Row](y: Ptr, x: Ptr, w: Ptr, outs: Int, ins: Int) raises:
    """Computes a product with a function of one row, on one core."""
    for i in range(outs):
        y[unsafe_offset=i] = row(w.unsafe_offset(i * ins), x, ins)


def call[
    product: Product
](y: Ptr, x: Ptr, w: Ptr, outs: Int, ins: Int, times: Int, message: Text) -> Int:
    """Computes a product some times; returns 1 and the text of an error, or 0."""
    try:
        for _ in range(times):
            product(y, x, w, outs, ins)
        return 0
    except error:
        var text = String(error)
        var bytes = text.as_bytes()
        for i in range(min(len(bytes), ROOM)):
            message[unsafe_offset=i] = bytes[i]
        return 1


def call[
    row: Row
](y: Ptr, x: Ptr, w: Ptr, outs: Int, ins: Int, times: Int, message: Text) -> Int:
    return call[by_rows[row]](y, x, w, outs, ins, times, message)


def run[product: Product](y: Ptr, x: Ptr, w: Ptr, outs: Int, ins: Int):
    """Computes a product; an error leaves y as it is."""
    try:
        product(y, x, w, outs, ins)
    except:
        pass


def run[row: Row](y: Ptr, x: Ptr, w: Ptr, outs: Int, ins: Int):
    run[by_rows[row]](y, x, w, outs, ins)
