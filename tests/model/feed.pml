/* feed.pml - the feed protocol: a producer's journal, a lossy connection, a consumer that keeps its cursor in the turn that
 * did the work; crashes of both, restores of both from backups, and an administrator who decides when a cursor was
 * refused. Checked with spin by check.sh; what it follows stands in common/bus/feed_client.c, feed_server.c and
 * common/daemon/feed_turn.c, feed_record.c, resolve.c.
 *
 * Every journal entry is an identity that is never used again. Its chain hash is its identity: an entry is appended once, behind
 * one history, and a restored journal is a copy, so that the same identity at the same sequence means the same history.
 * One entry (HIDDEN) is of a kind that the consumer may not see.
 *
 * What must hold:
 *   once      no event has its effect twice in the consumer's store
 *   behind    the cursor is never ahead of the effects: everything the consumer may see in the history that its cursor names has
 *             had its effect, unless a person accepted the producer's head instead
 *   told      a refused cursor moves only by a person's decision, and what was decided is not undone by what was read before:
 *             the cursor never goes back to an earlier epoch
 *   credit    a batch is never more than was asked for, and one is handed over at a time
 *   complete  when nothing more happens, the consumer has the effect of every event of the producer's journal (but for what a
 *             person decided to pass over)
 *
 * FAULT plants a fault that must be found: 1 the cursor moves in a transaction before the effects, 2 after them, 3 the producer
 * confirms a cursor by its sequence alone, 4 the reader takes a late answer for the one it waits for, 5 a refused reader
 * starts again from the head by itself, 6 the turn does not look at where a batch begins, 7 a sequence that was handled is known
 * whatever stands there now, 8 the turn believes a batch that says it moved, wherever it moved from (needs RESTORES=2).
 */
#ifndef FAULT
#define FAULT 0
#endif
#ifndef EVENTS
#define EVENTS 4
#endif
#ifndef RESTORES /* of the producer */
#define RESTORES 1
#endif
#ifndef CRASHES /* of the consumer */
#define CRASHES 1
#endif
#ifndef LOSSES /* times that an answer is lost, or waited for too short */
#define LOSSES 1
#endif
#ifndef CONSUMER_RESTORES
#define CONSUMER_RESTORES 1
#endif
#ifndef DECISIONS
#define DECISIONS 2
#endif

#define IDS (EVENTS + RESTORES)
#define CREDIT 2
#define HIDDEN 2
#define KEPT (RESTORES + DECISIONS + 1) /* restores that a consumer remembers */

/* --- the producer, on disk --- */
byte epoch = 1, head, entry[IDS + 1]; /* entry[0] is none */
byte used;			      /* identities so far */
bool marker[IDS + 1];		      /* JournalRestored */
byte backup_head, backup_entry[IDS + 1];
bool backed_up;

/* --- the consumer, on disk: one store --- */
typedef Store {
	byte epoch, sequence, hash; /* the cursor; epoch 0: none */
	byte handled;
	byte kept, kept_at[KEPT], kept_id[KEPT]; /* restores; id 0: all up to there */
	byte effects[IDS + 1];
	bool passed[IDS + 1]; /* by a person's decision */
};
Store store, store_backup;
bool store_backed_up;

/* --- the consumer, in memory --- */
typedef Batch {
	byte after, after_epoch, epoch, sequence, hash, count, id[CREDIT], at[CREDIT];
	bool moved;
};
Batch batch, held;
bool has_batch, has_held;
bool asking, stopped, resolved; /* resolved: a decision is committed, the reader is to be started again */
byte asked_epoch, asked_sequence, asked_hash;
bool refused;
byte refused_epoch, refused_head, refused_hash; /* what the producer told with it */

/* --- the connection --- */
chan requests = [1] of {byte, byte, byte};			     /* epoch, sequence, hash */
chan answers = [2] of {bool, byte, byte, byte, byte, bool, byte, byte, byte, byte, byte}; /* refusal, after, epoch,
							sequence, hash, moved, count, id 0, at 0, id 1, at 1 */
byte events_left = EVENTS, restores_left = RESTORES, crashes_left = CRASHES, losses_left = LOSSES;
byte consumer_restores_left = CONSUMER_RESTORES, decisions_left = DECISIONS;

/* --- the producer --- */

inline append(is_marker)
{
	used++;
	head++;
	entry[head] = used;
	marker[used] = is_marker;
}

/* A request is answered when there is something, or it must be refused; else it waits. */
#if FAULT == 3
#define confirmed(e, s, h) (e == 0 || s <= head)
#else
#define confirmed(e, s, h) (e == 0 || (s <= head && entry[s] == h))
#endif
#define news(e, s) (head > s || (e != 0 && e != epoch))

byte r_epoch, r_sequence, r_hash; /* the request that waits */
bool waiting;

inline serve()
{
	byte at, count, id0, at0, id1, at1;
	if
	:: !confirmed(r_epoch, r_sequence, r_hash) ->
		answers!true, r_sequence, epoch, head, entry[head], false, 0, 0, 0, 0, 0
	:: else ->
		at = r_sequence;
		do
		:: at < head && (entry[at + 1] == HIDDEN || count < CREDIT) ->
			at++;
			if
			:: entry[at] != HIDDEN && count == 0 -> id0 = entry[at]; at0 = at; count = 1
			:: entry[at] != HIDDEN && count == 1 -> id1 = entry[at]; at1 = at; count = 2
			:: else
			fi
		:: else -> break
		od;
		answers!false, r_sequence, epoch, at, entry[at], (r_epoch != 0 && r_epoch != epoch), count, id0, at0, id1, at1
	fi;
	waiting = false;
	r_epoch = 0; r_sequence = 0; r_hash = 0;
	at = 0; count = 0; id0 = 0; at0 = 0; id1 = 0; at1 = 0
}

/* The process has ended: requests are gone. What was sent may still lie at the consumer. */
inline cut()
{
	do
	:: nempty(requests) -> requests?_, _, _
	:: empty(requests) -> break
	od;
	waiting = false;
	r_epoch = 0; r_sequence = 0; r_hash = 0;
	asking = false /* the reader sees the connection go, and asks again */
}

inline forget_answers()
{
	do
	:: nempty(answers) -> answers?_, _, _, _, _, _, _, _, _, _, _
	:: empty(answers) -> break
	od
}

active proctype producer()
{
	byte i;
end:
	do
	:: d_step { events_left > 0 -> events_left--; append(false) }
	:: d_step { !backed_up && restores_left > 0 && head > 0 ->
		backed_up = true;
		backup_head = head;
		i = 1;
		do
		:: i <= head -> backup_entry[i] = entry[i]; i++
		:: else -> break
		od;
		i = 0 }
	/* It comes back from the backup: an earlier journal, a new epoch, and JournalRestored as its first event. */
	:: atomic { backed_up && restores_left > 0 ->
		d_step {
			restores_left--;
			backed_up = false;
			i = 1;
			do
			:: i <= IDS -> entry[i] = (i <= backup_head -> backup_entry[i] : 0); i++
			:: else -> break
			od;
			i = 0;
			head = backup_head;
			epoch++;
			append(true);
			cut()
		}
		if
		:: forget_answers()
		:: skip
		fi }
	/* A new request replaces the one that waits. */
	:: d_step { nempty(requests) -> requests?r_epoch, r_sequence, r_hash; waiting = true }
	:: d_step { waiting && nfull(answers) && (!confirmed(r_epoch, r_sequence, r_hash) || news(r_epoch, r_sequence)) ->
		serve() }
	od
}

/* --- the reader (feed_client.c) --- */

inline ask()
{
	if
	:: !stopped && !asking && !has_held ->
		if
		:: full(requests) -> requests?_, _, _
		:: nfull(requests)
		fi;
		requests!asked_epoch, asked_sequence, asked_hash;
		asking = true
	:: else
	fi
}

inline clear_batch(b)
{
	b.after = 0; b.after_epoch = 0; b.epoch = 0; b.sequence = 0; b.hash = 0; b.count = 0; b.moved = false;
	b.id[0] = 0; b.id[1] = 0; b.at[0] = 0; b.at[1] = 0
}

inline copy_batch(to, from)
{
	to.after = from.after; to.after_epoch = from.after_epoch; to.epoch = from.epoch; to.sequence = from.sequence; to.hash = from.hash;
	to.count = from.count; to.moved = from.moved;
	to.id[0] = from.id[0]; to.id[1] = from.id[1]; to.at[0] = from.at[0]; to.at[1] = from.at[1]
}

/* av_feed_client_restart, then av_feed_client_done for the batch that the owner had. */
inline restart_reader()
{
	clear_batch(held); has_held = false;
	clear_batch(batch); has_batch = false;
	asked_epoch = store.epoch; asked_sequence = store.sequence; asked_hash = store.hash;
	stopped = false; asking = false; resolved = false;
	ask()
}

/* av_feed_client_done */
inline done_reader()
{
	clear_batch(batch); has_batch = false;
	if
	:: has_held ->
		copy_batch(batch, held);
		has_batch = true;
		clear_batch(held); has_held = false;
		ask()
	:: else
	fi
}

#if FAULT == 4
#define late (false)
#else
#define late (n_after != asked_sequence || (n_epoch != asked_epoch && !n_moved && asked_epoch != 0) || n_sequence < asked_sequence || \
	(n_count > 0 && n_at0 <= asked_sequence))
#endif

inline fill(b)
{
	b.after = asked_sequence; b.after_epoch = asked_epoch; b.epoch = n_epoch; b.sequence = n_sequence; b.hash = n_hash;
	b.count = n_count; b.moved = n_moved;
	b.id[0] = n_id0; b.at[0] = n_at0; b.id[1] = n_id1; b.at[1] = n_at1
}

inline take_answer()
{
	answers?n_refusal, n_after, n_epoch, n_sequence, n_hash, n_moved, n_count, n_id0, n_at0, n_id1, n_at1;
	assert(n_count <= CREDIT);
	if
	:: stopped || !asking -> skip
	:: else ->
		if
		:: n_refusal ->
			asking = false;
			refused = true;
			refused_epoch = n_epoch; refused_head = n_sequence; refused_hash = n_hash;
#if FAULT == 5
			store.epoch = n_epoch; store.sequence = n_sequence; store.hash = n_hash;
			restart_reader()
#else
			stopped = true
#endif
		:: !n_refusal && late -> skip
		:: !n_refusal && !late ->
			asking = false;
			refused = false;
			refused_epoch = 0; refused_head = 0; refused_hash = 0;
			if
			:: has_batch -> assert(!has_held); fill(held); has_held = true
			:: else -> fill(batch); has_batch = true
			fi;
			asked_epoch = n_epoch; asked_sequence = n_sequence; asked_hash = n_hash;
			ask()
		fi
	fi;
	n_refusal = false; n_after = 0; n_epoch = 0; n_sequence = 0; n_hash = 0; n_moved = false;
	n_count = 0; n_id0 = 0; n_at0 = 0; n_id1 = 0; n_at1 = 0
}

/* --- the turn (feed_turn.c) --- */

/* Everything in the history that the cursor names, and may be seen, has had its effect. The history is that of the journal
 * the cursor was read from: as long as it stands at the producer it can be looked at. */
inline check_behind()
{
	if
	:: store.epoch != 0 && store.sequence <= head && entry[store.sequence] == store.hash ->
		i = 1;
		do
		:: i <= store.sequence ->
			assert(entry[i] == HIDDEN || marker[entry[i]] || store.passed[entry[i]] ||
				store.effects[entry[i]] == 1);
			i++
		:: else -> break
		od;
		i = 0
	:: else
	fi
}

/* The histories part behind `s`: restores that came later are of another one. */
inline part(s)
{
	store.handled = s;
	do
	:: store.kept > 0 && store.kept_at[store.kept - 1] > s ->
		store.kept--;
		store.kept_at[store.kept] = 0; store.kept_id[store.kept] = 0
	:: else -> break
	od
}

inline keep(s, x)
{
	assert(store.kept < KEPT);
	store.kept_at[store.kept] = s; store.kept_id[store.kept] = x;
	store.kept++
}

inline knows(s, x)
{
	known = false;
	i = 0;
	do
	:: i < store.kept ->
		known = known || (store.kept_id[i] == 0 && s <= store.kept_at[i]) ||
			(store.kept_id[i] == x && s == store.kept_at[i]);
		i++
	:: else -> break
	od;
	i = 0
}

inline handle(x, s)
{
	known = false;
	if
	:: s <= store.handled ->
		known = true;
		if
#if FAULT == 7
		:: false -> skip
#else
		:: marker[x] ->
			knows(s, x);
			if
			:: !known -> part(s - 1)
			:: else
			fi
#endif
		:: else
		fi
	:: else
	fi;
	if
	:: !known ->
		if
		:: marker[x] -> keep(s, x)
		:: else -> store.effects[x]++; assert(store.effects[x] <= 1)
		fi;
		store.handled = s
	:: else
	fi;
	known = false
}

inline handle_all()
{
	n = 0;
	do
	:: n < batch.count -> handle(batch.id[n], batch.at[n]); n++
	:: else -> break
	od;
	n = 0
}

/* Not back: what was given again reaches no further than what was done. */
inline move_cursor()
{
	assert(batch.epoch >= store.epoch);
	if
	:: store.handled < batch.sequence -> store.handled = batch.sequence
	:: else
	fi;
	if
	:: batch.epoch == store.epoch && store.sequence > batch.sequence -> skip
	:: else -> store.epoch = batch.epoch; store.sequence = batch.sequence; store.hash = batch.hash
	fi
}

#if FAULT == 6
#define stale (false)
#else
#if FAULT == 8
#define came_from (true)
#else
#define came_from (batch.after_epoch == store.epoch)
#endif
#define stale (batch.after > store.sequence || \
	(store.sequence > 0 && store.epoch != batch.epoch && !(batch.moved && came_from)))
#endif

/* What was in memory is gone; the reader starts from what the store says. */
inline start_consumer()
{
	forget_answers();
	cut();
	refused = false;
	refused_epoch = 0; refused_head = 0; refused_hash = 0;
	restart_reader()
}

active proctype consumer()
{
	bool n_refusal, n_moved, known;
	byte n_after, n_epoch, n_sequence, n_hash, n_count, n_id0, n_at0, n_id1, n_at1, i, n;
	ask();
end:
	do
	:: d_step { nempty(answers) -> take_answer() }
	/* The connection is made anew, or nothing was out, or silence: the same is asked again. */
	:: d_step { !asking && !stopped && !has_held -> ask() }
	:: d_step { asking && losses_left > 0 -> losses_left--; asking = false; ask() }
	:: d_step { losses_left > 0 && nempty(answers) -> losses_left--; answers?_, _, _, _, _, _, _, _, _, _, _ }
	:: d_step { asking && empty(requests) && empty(answers) && !waiting -> asking = false; ask() }

	/* A turn. */
	:: d_step { has_batch && stale -> restart_reader() }
#if FAULT == 1 || FAULT == 2
	:: has_batch && !stale ->
#if FAULT == 1
		d_step { store.epoch = batch.epoch; store.sequence = batch.sequence; store.hash = batch.hash };
#else
		d_step { n = store.handled; handle_all(); store.handled = n; n = 0 };
#endif
		if
		:: d_step { crashes_left > 0 -> crashes_left--; start_consumer() }
		:: else ->
#if FAULT == 1
			d_step { handle_all(); move_cursor(); done_reader() }
#else
			d_step { move_cursor(); done_reader() }
#endif
		fi
#else
	:: d_step { has_batch && !stale -> handle_all(); move_cursor(); check_behind(); done_reader() }
	/* The turn's memory holds only the first event: the cursor stays, and the batch comes again. */
	:: d_step { has_batch && !stale && batch.count == CREDIT && batch.at[0] > store.handled ->
		handle(batch.id[0], batch.at[0]); check_behind() }
#endif

	/* A crash, before or after a turn: a turn is all or nothing. */
	:: d_step { crashes_left > 0 -> crashes_left--; start_consumer(); check_behind() }

	/* Its own backup. */
	:: d_step { !store_backed_up && consumer_restores_left > 0 ->
		store_backed_up = true;
		store_backup.epoch = store.epoch; store_backup.sequence = store.sequence; store_backup.hash = store.hash;
		store_backup.handled = store.handled; store_backup.kept = store.kept;
		i = 0;
		do
		:: i < KEPT -> store_backup.kept_at[i] = store.kept_at[i]; store_backup.kept_id[i] = store.kept_id[i]; i++
		:: else -> break
		od;
		i = 0;
		do
		:: i <= IDS -> store_backup.effects[i] = store.effects[i]; store_backup.passed[i] = store.passed[i]; i++
		:: else -> break
		od;
		i = 0 }
	:: d_step { store_backed_up && consumer_restores_left > 0 ->
		consumer_restores_left--;
		store_backed_up = false;
		store.epoch = store_backup.epoch; store.sequence = store_backup.sequence; store.hash = store_backup.hash;
		store.handled = store_backup.handled; store.kept = store_backup.kept;
		i = 0;
		do
		:: i < KEPT -> store.kept_at[i] = store_backup.kept_at[i]; store.kept_id[i] = store_backup.kept_id[i]; i++
		:: else -> break
		od;
		i = 0;
		do
		:: i <= IDS -> store.effects[i] = store_backup.effects[i]; store.passed[i] = store_backup.passed[i]; i++
		:: else -> break
		od;
		i = 0;
		start_consumer();
		check_behind() }

	/* An administrator decides: read again from the start, or go on from the producer's head. The reader starts again a
	 * little later. */
	:: d_step { refused && stopped && !resolved && decisions_left > 0 ->
		decisions_left--;
		store.epoch = 0; store.sequence = 0; store.hash = 0;
		resolved = true }
	:: d_step { refused && stopped && !resolved && decisions_left > 0 ->
		decisions_left--;
		if
		:: refused_head < store.handled -> part(refused_head)
		:: else
		fi;
		store.handled = refused_head;
		keep(refused_head, 0);
		store.epoch = refused_epoch; store.sequence = refused_head; store.hash = refused_hash;
		/* What lies before the accepted head and has had no effect is passed over: the administrator was told. */
		i = 1;
		do
		:: i <= refused_head && i <= head -> store.passed[entry[i]] = (store.effects[entry[i]] == 0); i++
		:: else -> break
		od;
		i = 0;
		resolved = true }
	:: d_step { resolved -> restart_reader() }
	/* Every half minute a refused reader asks again, in case the producer was put right. */
	:: d_step { refused && stopped && !resolved && losses_left > 0 -> losses_left--; restart_reader() }
	od
}

/* Nothing more happens: all is there, unless the reader stands still until a person decides. */
active proctype rest()
{
	byte i;
	timeout;
	d_step {
		if
		:: !stopped ->
			i = 1;
			do
			:: i <= head ->
				assert(entry[i] == HIDDEN || marker[entry[i]] || store.passed[entry[i]] ||
					store.effects[entry[i]] == 1);
				i++
			:: else -> break
			od
		:: else -> assert(refused)
		fi
	}
}
