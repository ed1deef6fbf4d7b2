-- Idempotency keys that came lately, in the order in which they came. They are folded into
-- `idempotency` a few at a time: keys are scattered over that one's index, so that each changes a
-- page of its own.

create table idempotency_recent (
    first_event_id integer primary key
        references event (id) on delete cascade deferrable initially deferred,
    project_id     integer not null,
    key            text not null,
    fingerprint    text not null,
    event_count    integer not null
) strict;
