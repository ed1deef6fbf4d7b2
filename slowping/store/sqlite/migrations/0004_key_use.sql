-- From where a key was used last, and which key took its place when it was rotated.

alter table api_key add column last_used_from text;
alter table api_key add column rotated_to integer references api_key (id);
