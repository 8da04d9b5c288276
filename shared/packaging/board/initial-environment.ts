/** How a board leaves the factory: slot A first, three attempts each. */
export const initialEnvironment = 'BOOT_ORDER=A B\nBOOT_A_LEFT=3\nBOOT_B_LEFT=3\n';
