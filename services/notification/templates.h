/* templates.h - the mail templates in force: those compiled in, and an administrator's folder before them.
 *
 * The folder is looked at again when something in it has changed. A file with faults is not taken: what stood
 * before goes on, and the faults are kept for health, each with file and line.
 */
#ifndef NOTIFICATION_TEMPLATES_H
#define NOTIFICATION_TEMPLATES_H

#include "template.h"
#include "wire/message.h"

struct templates;

struct template_builtin {
	const char *name;
	const unsigned char *text;
	size_t size;
};
extern const struct template_builtin template_builtins[];
extern const size_t template_builtin_count;

/* folder NULL or empty: only those compiled in. Faults are found by templates_faults. NULL: out of memory. */
struct templates *templates_open(const char *folder);
void templates_close(struct templates **templates);
/* Reads the folder again if it has changed; cheap when asked often. */
void templates_refresh(struct templates *templates, int64_t monotonic_ms);
/* NULL: there is none of that name. Valid until the next refresh. */
const struct template *templates_find(const struct templates *templates, const char *name);
/* Each fault, "file:line"; answers how many. */
size_t templates_faults(const struct templates *templates, struct av_faults *faults);

#endif
