-- Administrative acts: who did what, and what was before and after. A line stays when what it
-- tells of is removed.

create table audit (
    id         integer primary key,
    at         integer not null,
    act        text not null,
    api_key_id integer references api_key (id),        -- null where slowping itself did it
    author     text not null,                          -- the key's name as it was then
    address    text,
    project_id integer references project (id),
    subject    text,                                   -- an id, as people write it
    name       text,                                   -- of the subject, as it was then
    before     text,                                   -- a JSON object, without secrets
    after      text
) strict;

create index audit_project on audit (project_id, id);
