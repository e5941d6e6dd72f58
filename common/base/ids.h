/* ids.h - identifiers: UUID version 7 (RFC 9562), time-ordered, 16 bytes in the store and on the wire. */
#ifndef AVVIK_BASE_IDS_H
#define AVVIK_BASE_IDS_H

#include <stdint.h>
#include "base/random.h"

#define AV_ID_SIZE 16
#define AV_ID_TEXT 37 /* xxxxxxxx-xxxx-7xxx-xxxx-xxxxxxxxxxxx and the end */

struct av_id {
	unsigned char bytes[AV_ID_SIZE];
};

/* Makes ids that never go backwards, even when the clock does: one per writer. Zeroed is ready. */
struct av_id_source {
	int64_t last_ms;
	uint32_t counter; /* the 12 bits of rand_a and 20 bits of rand_b count within a millisecond */
};

struct av_id av_id_next(struct av_id_source *source, int64_t now_ms, struct av_random *random);
/* The millisecond in an id. */
int64_t av_id_ms(const struct av_id *id);
void av_id_text(const struct av_id *id, char ret_text[AV_ID_TEXT]);
/* From the 36-character form, upper or lower case. AV_INVALID when it is not a UUID. */
int av_id_parse(const char *text, struct av_id *ret_id);

#endif
