/**
 * The core of one host: membership and claims as one state machine. The agent and the simulator both drive this.
 */
