/* trouble.c - what goes wrong from without: deaths, power, connections, rights, restores, the clock
 *
 * Each kind can be switched off (--without), which leaves what the others draw as it was.
 */
#include "disk.h"

#include <string.h>

#define HOUR_MS INT64_C(3600000)
#define DAY_MS INT64_C(86400000)

bool on(const struct world *w, enum kind kind)
{
	return !w->calm && !(w->without >> kind & 1);
}

bool fault(struct world *w, enum kind kind, unsigned int hundredths)
{
	bool drawn = !w->calm && av_random_below(&w->luck, 10000) < hundredths;
	return drawn && on(w, kind);
}

static void rights_change(struct world *w)
{
	int client = (int)chance(w, CLIENTS);
	if (chance(w, 4) == 0) {
		w->feed_revoked = !w->feed_revoked;
	} else {
		w->revoked[client] = !w->revoked[client];
	}
	for (int node = 0; node < NODES; node++)
		w->nodes[node].principals_changed = w->nodes[node].up;
}

/* Of the whole machine, between two turns; `n`: within what it does, and the others lose it too. */
void power_fails(struct world *w, const struct node *n)
{
	if (w->dark)
		return;
	w->dark = true;
	for (int each = 0; each < NODES; each++) {
		struct node *other = &w->nodes[each];
		if (other == n)
			continue;
		disk_power_off(other);
		node_crash(other);
	}
	w->dark = false;
}

static void silence(struct world *w)
{
	struct follow *f = world_follow(w);
	if (f && chance(w, 2))
		line_clear(&f->replies);
	if (f)
		reader_silence(f);
}

void trouble(struct world *w)
{
	/* clang-format off */
	static const struct { enum kind kind; unsigned int parts; } kinds[] = {
		{KIND_DEATHS, 3}, {KIND_LINKS, 3}, {KIND_FEEDS, 3}, {KIND_RESTORES, 3}, {KIND_RIGHTS, 1}, {KIND_POWER, 1},
	}; /* clang-format on */
	uint64_t luck = chance(w, 14);
	size_t i = 0;
	for (; luck >= kinds[i].parts; i++)
		luck -= kinds[i].parts;
	if (!on(w, kinds[i].kind))
		return;
	switch ((int)kinds[i].kind) {
	case KIND_DEATHS: {
		struct node *n = &w->nodes[chance(w, NODES)];
		if (n->up)
			node_crash(n);
		break;
	}
	case KIND_LINKS:
		link_cut(w, (int)chance(w, CLIENTS), (int)chance(w, NODES));
		break;
	case KIND_FEEDS:
		silence(w);
		break;
	case KIND_RESTORES:
		restore_rest(w, false);
		if (luck == 0 || !w->has_backup)
			for (uint64_t some = 1 + chance(w, NODES); some > 0; some--)
				backup_step(w);
		else if (percent(w, 5000))
			restore_some(w);
		break;
	case KIND_POWER:
		power_fails(w, NULL);
		break;
	default:
		rights_change(w);
	}
}

/* More room, as an administrator gives it: with a restart. */
void make_room(struct node *n)
{
	n->map_bytes *= 2;
	n->full = false;
	if (n->up)
		node_crash(n);
}

/* --- time --- */

static bool anything_queued(struct world *w)
{
	for (int node = 0; node < NODES; node++)
		if (w->nodes[node].queue.first)
			return true;
	return false;
}

/* A clock that is put right, that stands, or that was wrong all the time; a machine that slept. */
static bool clock_jumps(struct world *w)
{
	if (fault(w, KIND_CLOCK, 200)) {
		w->now_ms -= (int64_t)chance(w, HOUR_MS / 3);
	} else if (fault(w, KIND_CLOCK, 120) &&
		   !anything_queued(w)) { /* what came before is judged as it came */
		w->now_ms += (int64_t)chance(w, 50 * DAY_MS);
	} else if (fault(w, KIND_CLOCK, 200)) {
		w->stands_until = w->step + (unsigned int)chance(w, 150);
		return true;
	} else {
		return w->step < w->stands_until;
	}
	w->count.jumps++;
	w->jumped_at = w->step;
	return true;
}

void pass_time(struct world *w)
{
	int64_t due = world_next_due(w);
	if (clock_jumps(w))
		return;
	if (anything_queued(w)) {
		w->now_ms += (int64_t)chance(w, 2000);
		return;
	}
	switch (chance(w, 8)) {
	case 0:
	case 1:
	case 2:
		w->now_ms = due > w->now_ms ? due : w->now_ms + HOUR_MS;
		break;
	case 3:
		w->now_ms += (int64_t)chance(w, 3 * DAY_MS);
		break;
	case 4:
		break;
	default:
		w->now_ms += (int64_t)chance(w, 8 * HOUR_MS);
	}
}
