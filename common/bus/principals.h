/* principals.h - who may talk to this instance: one file (principals.yaml, shape Principals in
 * settings.proto).
 *
 * A table is immutable and counted; a re-read makes a new one. The rights in force are looked up by key for
 * every message, so that a revoked or expired key is refused at once though its connection lives.
 */
#ifndef AVVIK_BUS_PRINCIPALS_H
#define AVVIK_BUS_PRINCIPALS_H

#include <stdbool.h>
#include "wire/yaml.h"

#define AV_CURVE_TEXT 41 /* 40 characters Z85 and the end */

/*      name        text            what */
#define AV_RIGHT_LIST(X) /* clang-format off */ \
	X(PUBLISH,    "publish",    "file and supplement reports, ask for own receipts and status") \
	X(ACT,        "act",        "act on cases on behalf of a person") \
	X(QUERY,      "query",      "read cases, deadlines, notices: codes and times, no content") \
	X(CONTENT,    "content",    "ask for content with a purpose, on behalf of a person") \
	X(ADMINISTER, "administer", "publish directory and rules, quarantine, feeds, events, health") \
	X(FEED,       "feed",       "read the daemon's feed") \
	X(CONTACTS,   "contacts",   "get opened addresses in feeds") \
	X(SUMMARY,    "summary",    "figures and the summary stream of its units") \
	X(STATUS,     "status",     "ask for health") \
	X(TAKE_OVER,  "take_over",  "take over open cases from another system") /* clang-format on */

enum av_right_bit {
#define X(name, text, what) AV_RIGHT_BIT_##name,
	AV_RIGHT_LIST(X)
#undef X
		AV_RIGHT_COUNT
};
enum av_right {
#define X(name, text, what) AV_MAY_##name = 1 << AV_RIGHT_BIT_##name,
	AV_RIGHT_LIST(X)
#undef X
};

struct av_principal {
	const char *name, *kind;
	unsigned int rights;	  /* bits of enum av_right */
	const char *const *units; /* NULL-terminated; NULL: all */
	const char *const *roles; /* NULL-terminated; NULL: all */
};

struct av_principals; /* a table */

/* 1 to 80 letters, digits, dots, dashes or underscores: it is a part of file names too. */
bool av_principal_name_valid(const char *name);
/* Every fault is listed (unknown right, bad key, key of two principals, name twice). AV_INVALID. `from` and
 * `until` are dates or times; a bare `until` date is the last day, a time the first instant at which the key
 * no longer holds. */
int av_principals_load(const char *path, struct av_faults *faults, struct av_principals **ret_table);
struct av_principals *av_principals_ref(struct av_principals *table);
void av_principals_unref(struct av_principals **table); /* thread-safe */
/* NULL: the key belongs to nobody, or not now. */
const struct av_principal *av_principals_by_key(
	const struct av_principals *table, const char *key, int64_t now_ms);
const struct av_principal *av_principals_by_name(const struct av_principals *table, const char *name);
size_t av_principals_count(const struct av_principals *table);
const struct av_principal *av_principals_at(const struct av_principals *table, size_t index);
/* Does a key that had the right at `now_ms` lack it in `after`, or have it for fewer units or roles? */
bool av_principals_narrowed(const struct av_principals *before, const struct av_principals *after,
	enum av_right right, int64_t now_ms);
/* When the first key with the right that is valid now runs out; INT64_MAX: none does. */
int64_t av_principals_expiry(const struct av_principals *table, enum av_right right, int64_t now_ms);
/* SHA-256 of the file. */
const unsigned char *av_principals_hash(const struct av_principals *table);
/* What differs, as names in the arena: an event of the journal. */
struct av_principals_change {
	const char **added, **changed, **removed;
	size_t added_count, changed_count, removed_count;
};
void av_principals_compare(const struct av_principals *before, const struct av_principals *after,
	struct av_arena *arena, struct av_principals_change *ret_change); /* before NULL: none */
bool av_principal_may_unit(const struct av_principal *principal, const char *unit);
bool av_principal_may_role(const struct av_principal *principal, const char *role);
const char *av_right_text(enum av_right right);

#endif
