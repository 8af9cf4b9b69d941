export type FloorActivities = { nothing(): Promise<void> };

export const floorActivities: FloorActivities = { nothing: async () => undefined };
