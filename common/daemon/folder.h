/* folder.h - whole folders: removed, copied, for backups and scratch. */
#ifndef AVVIK_DAEMON_FOLDER_H
#define AVVIK_DAEMON_FOLDER_H

/* Removes it with all that is in it; nothing when it is not there. */
void folder_remove(const char *path);
/* Files and folders below `from` into the new folder `to` (mode 0700, files 0600), synced. AV_EXISTS,
 * AV_NOT_FOUND, AV_FULL, AV_IO. */
int folder_copy(const char *from, const char *to);
/* `with` takes the place of what stands at `path`, which is put at `aside`: at no moment does nothing stand there, where the
 * file system can exchange two names. When nothing stands there, it is a rename. AV_IO. */
int folder_replace(const char *with, const char *path, const char *aside);
/* What was renamed in it stays so. AV_IO. */
int folder_sync(const char *path);

#endif
