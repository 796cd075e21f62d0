package io.fenceline.tailer;

import java.util.Objects;
import org.agrona.concurrent.ControlledMessageHandler;
import org.agrona.concurrent.MessageHandler;
import org.agrona.concurrent.UnsafeBuffer;
import org.jspecify.annotations.Nullable;

/// Shows entries to handlers of Agrona: each payload as a buffer of exactly its bytes. One thread.
final class AgronaHandlers {
    private final Forwards forwards;
    private final UnsafeBuffer payload = new UnsafeBuffer(0, 0);
    private final EntryHandler onMessage = this::onMessage;
    private final EntryHandler onControlledMessage = this::onControlledMessage;
    private @Nullable MessageHandler messageHandler;
    private @Nullable ControlledMessageHandler controlledHandler;
    private boolean aborted;

    AgronaHandlers(Forwards forwards) {
        this.forwards = forwards;
    }

    EntryHandler plain(MessageHandler handler) {
        messageHandler = handler;
        return onMessage;
    }

    EntryHandler controlled(ControlledMessageHandler handler) {
        controlledHandler = handler;
        aborted = false;
        return onControlledMessage;
    }

    /// Whether the last entry was refused.
    boolean isAborted() {
        return aborted;
    }

    private void onMessage(Entry entry) {
        wrap(entry);
        Objects.requireNonNull(messageHandler).onMessage(entry.type(), payload, 0, entry.length());
    }

    private void onControlledMessage(Entry entry) {
        wrap(entry);
        switch (Objects.requireNonNull(controlledHandler).onMessage(entry.type(), payload, 0, entry.length())) {
            case ABORT -> {
                aborted = true;
                forwards.undo();
                forwards.stop();
            }
            case BREAK -> forwards.stop();
            case COMMIT, CONTINUE -> {}
        }
    }

    private void wrap(Entry entry) {
        payload.wrap(forwards.buffer(), entry.payloadOffset(), entry.length());
    }
}
