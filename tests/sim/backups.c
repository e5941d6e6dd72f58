/* backups.c - backups, as avvik-DAEMON --backup and --restore make and use them
 *
 * Consumers are copied before what they consume, as avvik backup does, but other things happen in between;
 * only a set that is complete is used. What is restored: a consumer alone; a daemon and all that read from
 * it; or a daemon first, and those that read from it later, when they have been told.
 */
#include "disk.h"

#include <string.h>
#include <unistd.h>

#include "daemon/folder.h"

static void backup_abandon(struct world *w)
{
	w->backing_up = NODES - 1;
}

/* The set is complete: from now on it is the one to restore. */
static void backup_take(struct world *w)
{
	for (int each = 0; each < NODES; each++) {
		struct node *n = &w->nodes[each];
		const char *path = node_path(n, "backup");
		folder_remove(path);
		SIM_EXPECT(
			w, rename(node_path(n, "backup.next"), path) == 0, "%s: no backup", n->service.name);
		n->backup_turn = n->next_backup_turn;
	}
	w->has_backup = true;
	w->count.backups++;
	backup_abandon(w);
}

void backup_step(struct world *w)
{
	struct node *n = &w->nodes[w->backing_up];
	const char *path = node_path(n, "backup.next");
	for (int each = 0; each < NODES; each++)
		if (w->nodes[each].to_restore)
			return;
	if (!n->up)
		return;
	folder_remove(path);
	SIM_EXPECT(w, av_store_copy(n->store, path) == AV_OK, "%s: no backup", n->service.name);
	n->next_backup_turn = n->turns;
	if (w->backing_up-- == INTAKE)
		backup_take(w);
}

static void new_epoch(struct node *n)
{
	static const char note[] = "restored from a backup";
	unsigned char record[AV_ID_SIZE + 8 + sizeof note - 1];
	struct av_position head;
	struct av_txn *txn;
	SIM_EXPECT(n->world,
		av_txn_begin_write(n->store, &txn) == AV_OK && av_journal_head(txn, &head) == AV_OK,
		"%s: the restored store cannot be read", n->service.name);
	memcpy(record, head.epoch.bytes, AV_ID_SIZE);
	av_put_u64(record + AV_ID_SIZE, head.sequence);
	memcpy(record + AV_ID_SIZE + 8, note, sizeof note - 1);
	av_put(txn, AV_TABLE_META, av_bytes_of("restored"), av_bytes(record, sizeof record));
	av_journal_new_epoch(txn, &n->random);
	mutate_restored(n, txn);
	int status = av_txn_commit(&txn);
	SIM_EXPECT(n->world, status == AV_OK || disk_failed(n), "%s: no new epoch", n->service.name);
}

/* Beside the store, and then in its place. false: the power or the disk has failed, and it is to be done
 * again. */
static bool restore_once(struct node *n)
{
	const char *data = node_path(n, "data"), *incoming = node_path(n, "data.incoming");
	const char *replaced = node_path(n, "data.replaced"), *why = "";
	folder_remove(incoming);
	folder_remove(replaced);
	int status = folder_copy(node_path(n, "backup"), incoming);
	if (status == AV_OK)
		status = node_store_open(n, "data.incoming", &why);
	SIM_EXPECT(n->world, status == AV_OK || disk_failed(n), "%s: the restored store does not open: %s",
		n->service.name, why);
	if (status < 0)
		return false;
	new_epoch(n);
	av_store_close(&n->store);
	if (disk_failed(n))
		return false;
	if (access(data, F_OK) == 0 && rename(data, replaced) < 0)
		return false;
	if (rename(incoming, data) < 0)
		return false;
	unlink(node_path(n, "marks"));
	return folder_sync(n->path) == AV_OK && !disk_is_cut(n);
}

static void restore_node(struct node *n)
{
	struct world *w = n->world;
	bool done = false;
	if (n->up)
		node_crash(n);
	while (!done) {
		disk_arm(n);
		done = restore_once(n);
		disk_disarm(n);
		av_store_close(&n->store);
		if (disk_is_cut(n))
			disk_power_on(n);
	}
	folder_remove(node_path(n, "data.replaced"));
	n->to_restore = false;
	orders_forget(n);
	if (n->number == NOTIFICATION)
		mail_forget(w);
	w->count.restores++;
	if (w->verbose)
		sim_say(w, "%s is restored", n->service.name);
}

void restore_some(struct world *w)
{
	int node = (int)chance(w, NODES);
	bool alone = chance(w, 3) == 0;
	for (int each = 0; each < NODES; each++)
		if (w->nodes[each].to_restore)
			return;
	if (!w->has_backup)
		return;
	backup_abandon(w);
	restore_node(&w->nodes[node]);
	if (node == NOTIFICATION || node == REPORTING)
		return;
	for (int each = node + 1; each < NODES; each++) {
		if (alone)
			w->nodes[each].to_restore = true;
		else
			restore_node(&w->nodes[each]);
	}
}

/* Whoever has seen more than its producer still holds must have been told, and must not have gone on by
 * itself. Told it is when it asks: what is under way comes first. */
static void check_told(struct follow *f)
{
	struct world *w = f->node->world;
	struct av_cursor cursor = {0};
	struct av_txn *txn;
	for (int round = 0; round < 40 && !(f->refused && f->has_refused_head); round++) {
		av_arena_reset(w->scratch);
		if (f->refused) /* for a right that it has back */
			reader_restart(f);
		if (!f->request && !f->replies.first)
			f->asking = false;
		if (!f->node->up || !f->from->up)
			return;
		node_turn(f->node, true);
		reader_ask(f);
		reader_serve(f);
		reader_receive(f);
	}
	(void)reader_cursor(f, &cursor); /* none: it has read nothing, ignoring */
	SIM_EXPECT(w, av_txn_begin_read(f->from->store, &txn) == AV_OK, "no read transaction");
	int status = cursor.position.sequence ? av_journal_confirm(txn, &cursor.position) : AV_OK;
	av_txn_abort(&txn);
	SIM_EXPECT(w, status != AV_NOT_FOUND || (f->refused && f->has_refused_head),
		"%s: it has read more than the restored %s holds, and was not told", f->node->service.name,
		f->name);
	w->count.told += status == AV_NOT_FOUND;
}

void restore_rest(struct world *w, bool all)
{
	for (int each = 0; each < NODES; each++) {
		struct node *n = &w->nodes[each];
		if (!n->to_restore || !(all || chance(w, 2)))
			continue;
		if (each > WORKFLOW && w->nodes[WORKFLOW].to_restore)
			continue; /* it would read on from what is yet to go back */
		if (all)
			for (int from = 0; from < NODES; from++)
				while (!w->nodes[from].up)
					node_start(&w->nodes[from]);
		for (size_t i = 0; all && n->up && i < n->follow_count; i++)
			check_told(&n->follows[i]);
		restore_node(n);
	}
}
