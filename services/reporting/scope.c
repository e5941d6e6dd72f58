/* scope.c - whose figures a principal may see. */
#include "scope.h"

#include "reporting_store.h"

bool scope_all(const struct av_principal *principal)
{
	return (principal->rights & (AV_MAY_SUMMARY | AV_MAY_ADMINISTER)) && !principal->units;
}

bool scope_unit(struct av_txn *txn, const struct av_principal *principal, const char *unit)
{
	const char *codes[AV_ORG_DEPTH];

	if (!(principal->rights & (AV_MAY_SUMMARY | AV_MAY_ADMINISTER)))
		return false;
	if (av_principal_may_unit(principal, unit))
		return true;
	size_t count = reporting_levels(txn, unit, codes);
	for (size_t i = 0; i < count; i++)
		if (av_principal_may_unit(principal, codes[i]))
			return true;
	return false;
}
