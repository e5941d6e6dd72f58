/* faults.c - where a daemon dies inside a turn
 *
 * The linker sends a few calls of the turn through here (--wrap). Death is a jump out of whatever was under
 * way: the transaction is aborted or was committed, no reply leaves, memory is forgotten, only what lies in
 * the stores and in the file of marks is left.
 */
#include "disk.h"

#include "store/store_internal.h"

static struct world *watched;

int __real_av_txn_commit(struct av_txn **txn);
int __wrap_av_txn_commit(struct av_txn **txn);
void __real_av_journal_append(struct av_txn *txn, struct av_bytes event, uint64_t *ret_sequence);
void __wrap_av_journal_append(struct av_txn *txn, struct av_bytes event, uint64_t *ret_sequence);
void fault_world(struct world *w)
{
	watched = w;
	mutate_world(w);
}

void fault_arm(struct node *n)
{
	static const int points[] = {FAULT_BEFORE_COMMIT, FAULT_AFTER_COMMIT, FAULT_IN_ITEM};
	struct world *w = n->world;
	disk_arm(n);
	w->fault.node = n;
	w->fault.point = FAULT_NONE;
	if (w->fault.again == n && !w->calm && n->item_count > 0) {
		w->fault.again = NULL;
		w->fault.point = FAULT_IN_ITEM;
		w->fault.countdown = 0;
		return;
	}
	if (!fault(w, KIND_DEATHS, 500))
		return;
	/* Set aside for good, the first directory and rules would leave nothing to look at. */
	bool published =
		w->order_count > 1 && w->orders[0]->state == ORDER_DONE && w->orders[1]->state == ORDER_DONE;
	w->fault.point = points[chance(w, published ? 3 : 2)];
	w->fault.countdown = (int)(chance(w, 2) ? 0 : chance(w, w->fault.point == FAULT_IN_ITEM ? 30 : 3));
}

void fault_disarm(struct world *w)
{
	w->fault.point = FAULT_NONE;
	if (w->fault.node)
		disk_disarm(w->fault.node);
	w->fault.node = NULL;
}

static void die(struct world *w)
{
	if (w->verbose)
		sim_say(w, "%s: struck at point %d", w->fault.node->service.name, w->fault.point);
	w->fault.point = FAULT_NONE;
	longjmp(w->death, 1);
}

static bool strikes(struct world *w, int point)
{
	return w && w->fault.node && w->fault.point == point && w->fault.countdown-- <= 0;
}

int __wrap_av_txn_commit(struct av_txn **txn)
{
	struct world *w = watched;
	if (w && w->fault.node && (*txn)->write && (*txn)->store == w->fault.node->store)
		mutate_before_commit(w->fault.node, *txn);
	/* The key store opens and closes stores of its own while it commits; nobody could close them after a
	 * jump. */
	bool own = w && w->fault.node && (*txn)->store == w->fault.node->store;
	if (own && strikes(w, FAULT_BEFORE_COMMIT)) {
		av_txn_abort(txn);
		die(w);
	}
	int status = __real_av_txn_commit(txn);
	if (own && strikes(w, FAULT_AFTER_COMMIT))
		die(w);
	return status;
}

void __wrap_av_journal_append(struct av_txn *txn, struct av_bytes event, uint64_t *ret_sequence)
{
	if (strikes(watched, FAULT_IN_ITEM)) {
		for (size_t i = 0; i < watched->fault.node->item_count; i++)
			if (watched->fault.node->items[i].kind == AV_ITEM_DUE)
				watched->fault.node->due_crashes++;
		if (chance(watched, 3) == 0)
			watched->fault.again = watched->fault.node;
		die(watched); /* the turn aborts its transaction when it is taken down */
	}
	__real_av_journal_append(txn, event, ret_sequence);
}
