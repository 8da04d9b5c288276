import { version } from '../../package.json';

/** The version of these programs; package.json is the one place that says it. */
export const programVersion: string = version;
