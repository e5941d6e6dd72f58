/* grant.h - content by grant: workflow decides, each holder opens. */
#ifndef AVVIK_GRANT_H
#define AVVIK_GRANT_H

#include "tool.h"

/* Which message lies in a part; NULL: a part of a later version. */
const ProtobufCMessageDescriptor *grant_part_type(Avvik__V1__ContentPart part);
/* Presents a grant to its holder. NULL: there is nothing in it (*ret_code EXIT_DONE), or told. */
Avvik__V1__Reply *grant_use(
	struct tool *tool, Avvik__V1__Grant *grant, enum tool_daemon *ret_holder, int *ret_code);

/* What a holder has opened; dies after the call. */
typedef void grant_opened(void *context, enum tool_daemon holder, const Avvik__V1__OpenedContent *opened);
/* Asks workflow for grants and each holder for what is granted. Answers the exit code; what is wrong is told. */
int grant_read(struct tool *tool, Avvik__V1__ReadContent *order, grant_opened *each, void *context);

#endif
