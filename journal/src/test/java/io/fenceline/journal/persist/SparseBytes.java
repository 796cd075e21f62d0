package io.fenceline.journal.persist;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// The content of a file, page by page: what was never written costs nothing, and a fork shares every page until
/// one side writes it. Not synchronized.
final class SparseBytes {
    static final int PAGE_LENGTH_BYTES = 4096;
    private static final byte[] ZEROS = new byte[PAGE_LENGTH_BYTES];

    private final byte[] @Nullable [] pages;
    private final boolean[] owned;

    SparseBytes(long lengthBytes) {
        this(new byte[Math.toIntExact(lengthBytes / PAGE_LENGTH_BYTES)][]);
    }

    private SparseBytes(byte[] @Nullable [] pages) {
        this.pages = pages;
        this.owned = new boolean[pages.length];
    }

    SparseBytes fork() {
        Arrays.fill(owned, false);
        return new SparseBytes(pages.clone());
    }

    void read(long at, MemorySegment destination, long destinationOffset, long lengthBytes) {
        for (long done = 0; done < lengthBytes; ) {
            int inPage = (int) ((at + done) % PAGE_LENGTH_BYTES);
            int chunk = (int) Math.min(PAGE_LENGTH_BYTES - inPage, lengthBytes - done);
            MemorySegment.copy(
                    page(at + done), inPage, destination, ValueLayout.JAVA_BYTE, destinationOffset + done, chunk);
            done += chunk;
        }
    }

    /// Bytes of one unit, which lies in one page.
    byte[] copyOf(long at, int lengthBytes) {
        int inPage = (int) (at % PAGE_LENGTH_BYTES);
        return Arrays.copyOfRange(page(at), inPage, inPage + lengthBytes);
    }

    void write(long at, MemorySegment source, long lengthBytes) {
        for (long done = 0; done < lengthBytes; ) {
            int inPage = (int) ((at + done) % PAGE_LENGTH_BYTES);
            int chunk = (int) Math.min(PAGE_LENGTH_BYTES - inPage, lengthBytes - done);
            MemorySegment.copy(source, ValueLayout.JAVA_BYTE, done, ownPage(at + done), inPage, chunk);
            done += chunk;
        }
    }

    /// One unit, which lies in one page.
    void write(long at, byte[] unit) {
        System.arraycopy(unit, 0, ownPage(at), (int) (at % PAGE_LENGTH_BYTES), unit.length);
    }

    private byte[] page(long at) {
        byte[] page = pages[(int) (at / PAGE_LENGTH_BYTES)];
        return page == null ? ZEROS : page;
    }

    private byte[] ownPage(long at) {
        int index = (int) (at / PAGE_LENGTH_BYTES);
        byte[] page = pages[index];
        if (page == null || !owned[index]) {
            page = page == null ? new byte[PAGE_LENGTH_BYTES] : page.clone();
            pages[index] = page;
            owned[index] = true;
        }
        return page;
    }
}
