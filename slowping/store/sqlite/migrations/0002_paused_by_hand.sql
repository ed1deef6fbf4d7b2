-- Whether a person has paused a channel. What a far side has paused, a new address resumes.

alter table channel add column paused_by_hand integer not null default 0;

update channel
   set paused_by_hand = 1
 where paused_reason like 'Paused by hand %';
