/* backup.h - what a running daemon does for a backup: it copies its own content keys when asked. See
 * backup.c. */
#ifndef AVVIK_DAEMON_BACKUP_H
#define AVVIK_DAEMON_BACKUP_H

#define AV_FILE_REQUEST "backup-request"
#define AV_FOLDER_KEYS_COPY "keys-copy"

struct av_daemon;
void backup_watch(struct av_daemon *d); /* every second */

#endif
