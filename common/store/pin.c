/* pin.c - an old snapshot that is held for a while, so that commits write pages that lie together.
 *
 * LMDB writes what it changes to pages that were given back, the lowest first. After some thousand
 * transactions those are single pages all over the file, and a commit of thirteen of them costs as much again
 * as one of thirteen in a row: each is a request of its own to the disk. While a snapshot is held nothing is
 * given back, so pages are taken from the end, in a row; when it is let go they come back as they were taken,
 * in long runs. Measured: 260 us a commit instead of 450.
 *
 * What that costs is bounded: a snapshot is let go when about PIN_PAGES pages were written after it, and none
 * is held in a map that is small, or filled to the half. All of it belongs to whoever has the write
 * transaction.
 */
#include "store/store_internal.h"

#define PIN_PAGES 8192	 /* 32 MiB */
#define PAGES_A_COMMIT 8 /* besides one for each put: roots, LMDB's own */

void store_pin_release(struct av_store *store)
{
	if (store->pin)
		mdb_txn_abort(store->pin);
	store->pin = NULL;
	atomic_store(&store->pin_id, 0);
}

static bool has_room(const struct av_store *store)
{
	MDB_envinfo info;
	mdb_env_info(store->env, &info);
	return info.me_last_pgno + 2 * PIN_PAGES < info.me_mapsize / store->page_size / 2;
}

void store_pin_renew(struct av_store *store)
{
	int rc;
	if (store->pin && store->pin_pages < PIN_PAGES)
		return;
	if (!store->page_size || !has_room(store)) {
		store_pin_release(store);
		return;
	}
	if (store->pin) {
		mdb_txn_reset(store->pin);
		rc = mdb_txn_renew(store->pin);
	} else {
		rc = mdb_txn_begin(store->env, NULL, MDB_RDONLY, &store->pin);
		if (rc != 0)
			store->pin = NULL;
	}
	store->pin_pages = 0;
	if (rc != 0) /* no reader's place is free: slower, not wrong */
		store_pin_release(store);
	else
		atomic_store(&store->pin_id, mdb_txn_id(store->pin));
}

void store_pin_count(struct av_store *store, size_t puts)
{
	store->pin_pages += puts + PAGES_A_COMMIT;
}
