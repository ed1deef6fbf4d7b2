-- Lists by source and by channel, and the text index. What is looked for in an event is said here,
-- once: what takes an event out of the index has to name the very text that was put in. Of a text
-- so much is looked at that no event holds the others up.

create index event_source on event (project_id, source, id) where source is not null;

create index delivery_channel on delivery (channel_id, state, id);
drop index delivery_failed;

create view event_words as
select event.id,
       'c' || event.category_id as category,
       substr(
           coalesce(event.description, '') || ' ' || coalesce(event.source, '') || ' ' || coalesce(
               (select group_concat(
                           iif(typeof(field.key) = 'text', field.key || ' ', '')
                               || iif(field.type in ('text', 'integer', 'real'), field.atom, ''),
                           ' ')
                  from json_tree(event.fields) as field),
               ''),
           1, 16384) as words
  from event;

-- It keeps no text. Whoever puts events in also merges what was put in before, a little each time:
-- by itself it would do so seldom, and for long.
create virtual table event_text using fts5 (
    category, words, content = '', tokenize = 'unicode61 remove_diacritics 2'
);
insert into event_text (event_text, rank)
values ('automerge', 0), ('usermerge', 16), ('crisismerge', 64);

insert into event_text (rowid, category, words)
select id, category, words from event_words order by id;

-- The place in the journal up to which events are in the index.
insert into meta (key, value)
select 'searchable', coalesce((select seq from sqlite_sequence where name = 'journal'), 0);
