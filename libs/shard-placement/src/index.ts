export {
  type ClusterView,
  hasMajority,
  isSettled,
  type ObservedMembers,
  type Placing,
  type ShardView,
} from './cluster-view.ts';
export { type GroupView, type MembershipStep, nextMembershipStep } from './membership-step.ts';
export { type PlacementRules, planPlacement } from './plan-placement.ts';
