/* reference.h - the paragraph of law that a rule pack names. Pure. */
#ifndef AVVIK_ORG_REFERENCE_H
#define AVVIK_ORG_REFERENCE_H

#include <stddef.h>
#include "avvik/v1/rules.pb-c.h"

/* "remedy", "notify", …: for the first of the laws that has one, else SoL; "" when there is none. */
const char *av_reference(
	const Avvik__V1__RulePack *rules, const char *id, const Avvik__V1__Law *laws, size_t count);

#endif
