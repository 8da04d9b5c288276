import { createLog } from '../../../shared/system/terminal/log.ts';

/** Says a line of each kind, and to a file too where one is given. */
const [, , file, text = 'a line'] = process.argv;
const log = createLog('say');
if (file) log.alsoTo(file);
log.info(text);
log.warn(text);
log.error(text);
