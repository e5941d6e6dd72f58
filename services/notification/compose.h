/* compose.h - from a notice to the mail: template, facts, address. In a read transaction. */
#ifndef NOTIFICATION_COMPOSE_H
#define NOTIFICATION_COMPOSE_H

#include "attempts_store.h"
#include "avvik/v1/settings.pb-c.h"
#include "known.h"
#include "outcome.h"
#include "store/keystore.h"
#include "templates.h"

struct composer {
	struct av_txn *txn;
	struct av_keystore *keys;
	struct known *known;
	const struct templates *templates;
	const Avvik__V1__Mail *mail; /* NULL: defaults */
	const char *instance;
};

struct composed {
	struct av_bytes message;
	const char *from, *to;
};

/* Of one notice, or of several to the same person. DELIVERED: composed, in the arena; else why it cannot be
 * sent now. */
enum outcome compose(const struct composer *composer, const struct underway *mail, struct av_arena *arena,
	struct composed *ret_composed);

/* "måndag 22 juni 2026" */
#define DAY_WORDS 40
void day_words(int32_t day, char ret_text[DAY_WORDS]);

#endif
