export { AUTOSCALERS, createAutoscaler, type FleetState } from './autoscale.js';
export {
  type Candidate,
  type CapacityAnswer,
  type CapacityQuestion,
  fewestReplicas,
  type Sensitivity,
  sensitivityOf,
} from './capacity.js';
export { type FleetResult, type FleetSpec, simulateFleet } from './fleet.js';
export { PICKERS, type PickerName } from './pick.js';
