/** U-Boot's variables as a board leaves the factory: slot A first, three attempts for each slot. */
export const initialEnvironment = 'BOOT_ORDER=A B\nBOOT_A_LEFT=3\nBOOT_B_LEFT=3\n';
