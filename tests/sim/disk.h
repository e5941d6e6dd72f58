/* disk.h - the disk beneath the daemons: what was written, what was synced, and what a power cut leaves
 *
 *	disk.c        the calls to the system, caught; where they fail, where the power fails
 *	disk_log.c    files and folders: writes and changes of names that no sync has made durable yet
 *	disk_image.c  what the disk may hold after a power cut
 *
 * The real files (in memory, /dev/shm) hold what the kernel's page cache would: everything written. The log
 * holds what of it is not durable yet, with the bytes that it replaced, so that any mixture can be made:
 *
 *	a write is durable when its file was synced after it, or at once where the file was opened with O_DSYNC;
 *	a name (made, renamed, removed) is durable when its folder was synced after it;
 *	a write that a failed sync was to make durable stays undecided for ever, as Linux drops such pages.
 */
#ifndef AVVIK_SIM_DISK_H
#define AVVIK_SIM_DISK_H

#include <sys/stat.h>
#include "sim.h"

#define DISK_NAME 96

struct disk_write {
	struct disk_write *next;
	bool cut;	       /* ftruncate: from `at` to the end of the file before it */
	bool undecided;	       /* a sync of it has failed */
	uint64_t at;	       /* where */
	size_t size, was_size; /* bytes written; of those replaced, never more */
	uint64_t file_before, file_after;
	unsigned char *bytes, *was; /* `was` has room for `size`, the rest zero */
};

struct disk_name {
	struct disk_name *next;
	char name[DISK_NAME];
	struct disk_object *object;
};

struct disk_change { /* of names; object NULL: gone */
	struct disk_change *next;
	char name[DISK_NAME], from[DISK_NAME];
	struct disk_object *object;
};

struct disk_object {
	struct disk_object *next; /* of those with the same hash of their inode */
	struct node *node;
	ino_t inode;
	bool folder, reached;
	int fd; /* of a file: the content stays when the name has gone */
	uint64_t size;
	struct disk_write *first, **last;
	bool owes_sync; /* MUTATION_META_FIRST */
	struct disk_name *durable, *now;
	struct disk_change *changes, **changes_last;
};

/* disk_log.c */
struct disk_object *disk_find(ino_t inode);
struct disk_object *disk_folder_of(const char *path, const char **ret_name); /* NULL: not watched */
struct disk_object *disk_root(struct node *n, const char *path);
struct disk_object *disk_made(struct disk_object *folder, const char *name, const struct stat *info, int fd);
void disk_renamed(struct disk_object *from, const char *old, struct disk_object *to, const char *name);
void disk_removed(struct disk_object *folder, const char *name);
bool disk_has(const struct disk_object *folder, const char *name);
const char *disk_folder_name(const struct disk_object *file); /* that it lies in; for mutations */
struct disk_write *disk_log_write(struct disk_object *file, const void *data, size_t size, uint64_t at);
void disk_log_cut(struct disk_object *file, uint64_t size);
void disk_settle(struct disk_object *object, const struct disk_write *only); /* NULL: a sync */
void disk_undecided(struct disk_object *object);
void disk_apply(struct disk_name **names, const struct disk_change *change);
void disk_names_free(struct disk_name **names);
void disk_forget(struct node *n);			      /* NULL: all */
void disk_scan(struct disk_object *folder, const char *path); /* what lies there is durable */

/* disk_image.c */
void disk_image(struct node *n, bool ended); /* beside its folder; ended: nothing is written any more */

/* disk.c */
void disk_watch(struct world *w); /* NULL: no longer */
void disk_begin(struct node *n);  /* its folder is there */
void disk_arm(struct node *n);	  /* perhaps: within what is done next the power or the disk fails */
void disk_disarm(struct node *n);
bool disk_failed(const struct node *n); /* a write or a sync has failed since it was armed */
bool disk_is_cut(const struct node *n); /* the power has: what was done since then never was */
void disk_power_off(struct node *n);	/* now, between two turns */
void disk_power_on(struct node *n); /* nothing of the node is open: the image takes the place of its folder */

#endif
