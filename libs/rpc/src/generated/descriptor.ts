// Made by scripts/generate-rpc.ts from the files in proto/. Do not edit.

/** The control plane's proto files as JSON, for proto-loader. */
export const descriptorJson: string = `
{"nested": {
"robustmq": {"nested": {
"placement": {"nested": {
"v1": {"nested": {
"PlacementCenterService": {"methods":{"RegisterNode":{"requestType":"RegisterNodeRequest","responseType":"RegisterNodeReply"},"UnRegisterNode":{"requestType":"UnRegisterNodeRequest","responseType":"UnRegisterNodeReply"},"Heartbeat":{"requestType":"HeartbeatRequest","responseType":"HeartbeatReply"},"ReportMonitor":{"requestType":"ReportMonitorRequest","responseType":"ReportMonitorReply"},"SendRaftMessage":{"requestType":"SendRaftMessageRequest","responseType":"SendRaftMessageReply"},"SendRaftConfChange":{"requestType":"SendRaftConfChangeRequest","responseType":"SendRaftConfChangeReply"},"GenerateUniqueId":{"requestType":"GenerateUniqueIdRequest","responseType":"GenerateUniqueIdReply"},"SetResourceConfig":{"requestType":"SetResourceConfigRequest","responseType":"SetResourceConfigReply"},"GetResourceConfig":{"requestType":"GetResourceConfigRequest","responseType":"GetResourceConfigReply"},"DeleteResourceConfig":{"requestType":"DeleteResourceConfigRequest","responseType":"DeleteResourceConfigReply"},"SetIdempotentData":{"requestType":"SetIdempotentDataRequest","responseType":"SetIdempotentDataReply"},"ExistsIdempotentData":{"requestType":"ExistsIdempotentDataRequest","responseType":"ExistsIdempotentDataReply"},"DeleteIdempotentData":{"requestType":"DeleteIdempotentDataRequest","responseType":"DeleteIdempotentDataReply"},"ClusterStatus":{"requestType":"ClusterStatusRequest","responseType":"ClusterStatusReply"},"NodeList":{"requestType":"NodeListRequest","responseType":"NodeListReply"}}},
"ClusterType": {"values":{"PlacementCenter":0,"JournalServer":1,"MQTTBrokerServer":2,"AMQPBrokerServer":3}},
"RegisterNodeRequest": {"fields":{"clusterType":{"type":"ClusterType","id":1,"protoName":"cluster_type"},"clusterName":{"type":"string","id":2,"protoName":"cluster_name"},"nodeIp":{"type":"string","id":3,"protoName":"node_ip"},"nodeId":{"type":"uint64","id":4,"protoName":"node_id"},"nodeInnerAddr":{"type":"string","id":5,"protoName":"node_inner_addr"},"extendInfo":{"type":"string","id":6,"protoName":"extend_info"}}},
"RegisterNodeReply": {"fields":{"incarnation":{"type":"uint64","id":1},"lease":{"type":"uint64","id":2},"heartbeatTimeoutMs":{"type":"uint64","id":3,"protoName":"heartbeat_timeout_ms"}}},
"UnRegisterNodeRequest": {"fields":{"clusterType":{"type":"ClusterType","id":1,"protoName":"cluster_type"},"clusterName":{"type":"string","id":2,"protoName":"cluster_name"},"nodeId":{"type":"uint64","id":3,"protoName":"node_id"}}},
"UnRegisterNodeReply": {"fields":{}},
"HeartbeatRequest": {"fields":{"clusterType":{"type":"ClusterType","id":1,"protoName":"cluster_type"},"clusterName":{"type":"string","id":2,"protoName":"cluster_name"},"nodeId":{"type":"uint64","id":3,"protoName":"node_id"}}},
"HeartbeatReply": {"fields":{"incarnation":{"type":"uint64","id":1}}},
"ReportMonitorRequest": {"fields":{"clusterName":{"type":"string","id":1,"protoName":"cluster_name"},"nodeId":{"type":"uint64","id":2,"protoName":"node_id"},"cpuRate":{"type":"float","id":3,"protoName":"cpu_rate"},"memoryRate":{"type":"float","id":4,"protoName":"memory_rate"},"diskRate":{"type":"float","id":5,"protoName":"disk_rate"},"networkRate":{"type":"float","id":6,"protoName":"network_rate"}}},
"ReportMonitorReply": {"fields":{}},
"SendRaftMessageRequest": {"fields":{"message":{"type":"bytes","id":1}}},
"SendRaftMessageReply": {"fields":{"message":{"type":"bytes","id":1}}},
"SendRaftConfChangeRequest": {"fields":{"message":{"type":"bytes","id":1}}},
"SendRaftConfChangeReply": {"fields":{"message":{"type":"bytes","id":1}}},
"GenerateUniqueIdRequest": {"fields":{"clusterName":{"type":"string","id":1,"protoName":"cluster_name"},"generateType":{"type":"string","id":2,"protoName":"generate_type"},"count":{"type":"uint32","id":3}}},
"GenerateUniqueIdReply": {"fields":{"id":{"type":"uint64","id":1},"count":{"type":"uint32","id":2}}},
"SetResourceConfigRequest": {"fields":{"clusterName":{"type":"string","id":1,"protoName":"cluster_name"},"resources":{"rule":"repeated","type":"string","id":2},"config":{"type":"bytes","id":3}}},
"SetResourceConfigReply": {"fields":{}},
"GetResourceConfigRequest": {"fields":{"clusterName":{"type":"string","id":1,"protoName":"cluster_name"},"resources":{"rule":"repeated","type":"string","id":2}}},
"GetResourceConfigReply": {"oneofs":{"_config":{"oneof":["config"]}},"fields":{"config":{"type":"bytes","id":1,"options":{"proto3_optional":true}}}},
"DeleteResourceConfigRequest": {"fields":{"clusterName":{"type":"string","id":1,"protoName":"cluster_name"},"resources":{"rule":"repeated","type":"string","id":2}}},
"DeleteResourceConfigReply": {"fields":{}},
"SetIdempotentDataRequest": {"fields":{"clusterName":{"type":"string","id":1,"protoName":"cluster_name"},"producerId":{"type":"string","id":2,"protoName":"producer_id"},"seqNum":{"type":"uint64","id":3,"protoName":"seq_num"}}},
"SetIdempotentDataReply": {"fields":{}},
"ExistsIdempotentDataRequest": {"fields":{"clusterName":{"type":"string","id":1,"protoName":"cluster_name"},"producerId":{"type":"string","id":2,"protoName":"producer_id"},"seqNum":{"type":"uint64","id":3,"protoName":"seq_num"}}},
"ExistsIdempotentDataReply": {"fields":{"exists":{"type":"bool","id":1}}},
"DeleteIdempotentDataRequest": {"fields":{"clusterName":{"type":"string","id":1,"protoName":"cluster_name"},"producerId":{"type":"string","id":2,"protoName":"producer_id"},"seqNum":{"type":"uint64","id":3,"protoName":"seq_num"}}},
"DeleteIdempotentDataReply": {"fields":{}},
"ClusterStatusRequest": {"fields":{}},
"ClusterStatusReply": {"fields":{"clusterName":{"type":"string","id":1,"protoName":"cluster_name"},"nodeId":{"type":"uint64","id":2,"protoName":"node_id"},"leaderId":{"type":"uint64","id":3,"protoName":"leader_id"},"leaderAddr":{"type":"string","id":4,"protoName":"leader_addr"},"term":{"type":"uint64","id":5},"appliedIndex":{"type":"uint64","id":6,"protoName":"applied_index"},"revision":{"type":"uint64","id":7},"voters":{"rule":"repeated","type":"uint64","id":8},"learners":{"rule":"repeated","type":"uint64","id":9}}},
"NodeListRequest": {"oneofs":{"_clusterType":{"oneof":["clusterType"]}},"fields":{"clusterName":{"type":"string","id":1,"protoName":"cluster_name"},"clusterType":{"type":"ClusterType","id":2,"protoName":"cluster_type","options":{"proto3_optional":true}}}},
"NodeListReply": {"fields":{"nodes":{"rule":"repeated","type":"Node","id":1}}},
"Node": {"fields":{"clusterType":{"type":"ClusterType","id":1,"protoName":"cluster_type"},"clusterName":{"type":"string","id":2,"protoName":"cluster_name"},"nodeIp":{"type":"string","id":3,"protoName":"node_ip"},"nodeId":{"type":"uint64","id":4,"protoName":"node_id"},"nodeInnerAddr":{"type":"string","id":5,"protoName":"node_inner_addr"},"extendInfo":{"type":"string","id":6,"protoName":"extend_info"},"incarnation":{"type":"uint64","id":7},"registeredAtMs":{"type":"uint64","id":8,"protoName":"registered_at_ms"}}}
}}
}},
"mqtt": {"nested": {
"v1": {"nested": {
"MqttService": {"methods":{"ListUser":{"requestType":"ListUserRequest","responseType":"ListUserReply"},"CreateUser":{"requestType":"CreateUserRequest","responseType":"CreateUserReply"},"DeleteUser":{"requestType":"DeleteUserRequest","responseType":"DeleteUserReply"},"ListSession":{"requestType":"ListSessionRequest","responseType":"ListSessionReply"},"CreateSession":{"requestType":"CreateSessionRequest","responseType":"CreateSessionReply"},"UpdateSession":{"requestType":"UpdateSessionRequest","responseType":"UpdateSessionReply"},"DeleteSession":{"requestType":"DeleteSessionRequest","responseType":"DeleteSessionReply"},"ListTopic":{"requestType":"ListTopicRequest","responseType":"ListTopicReply"},"CreateTopic":{"requestType":"CreateTopicRequest","responseType":"CreateTopicReply"},"DeleteTopic":{"requestType":"DeleteTopicRequest","responseType":"DeleteTopicReply"},"SetTopicRetainMessage":{"requestType":"SetTopicRetainMessageRequest","responseType":"SetTopicRetainMessageReply"},"GetShareSubLeader":{"requestType":"GetShareSubLeaderRequest","responseType":"GetShareSubLeaderReply"},"SaveLastWillMessage":{"requestType":"SaveLastWillMessageRequest","responseType":"SaveLastWillMessageReply"}}},
"User": {"fields":{"userName":{"type":"string","id":1,"protoName":"user_name"},"isSuperuser":{"type":"bool","id":2,"protoName":"is_superuser"}}},
"ListUserRequest": {"fields":{"clusterName":{"type":"string","id":1,"protoName":"cluster_name"},"userName":{"type":"string","id":2,"protoName":"user_name"},"after":{"type":"string","id":3},"limit":{"type":"uint32","id":4}}},
"ListUserReply": {"fields":{"users":{"rule":"repeated","type":"User","id":1},"more":{"type":"bool","id":2}}},
"CreateUserRequest": {"fields":{"clusterName":{"type":"string","id":1,"protoName":"cluster_name"},"userName":{"type":"string","id":2,"protoName":"user_name"},"password":{"type":"string","id":3},"passwordHash":{"type":"string","id":4,"protoName":"password_hash"},"isSuperuser":{"type":"bool","id":5,"protoName":"is_superuser"}}},
"CreateUserReply": {"fields":{}},
"DeleteUserRequest": {"fields":{"clusterName":{"type":"string","id":1,"protoName":"cluster_name"},"userName":{"type":"string","id":2,"protoName":"user_name"}}},
"DeleteUserReply": {"fields":{}},
"Session": {"fields":{"clientId":{"type":"string","id":1,"protoName":"client_id"},"sessionExpiry":{"type":"uint32","id":2,"protoName":"session_expiry"},"isContainLastWill":{"type":"bool","id":3,"protoName":"is_contain_last_will"},"lastWillDelayInterval":{"type":"uint32","id":4,"protoName":"last_will_delay_interval"},"createTime":{"type":"uint64","id":5,"protoName":"create_time"},"connectionId":{"type":"uint64","id":6,"protoName":"connection_id"},"brokerId":{"type":"uint64","id":7,"protoName":"broker_id"},"reconnectTime":{"type":"uint64","id":8,"protoName":"reconnect_time"},"disconnectTime":{"type":"uint64","id":9,"protoName":"disconnect_time"}}},
"ListSessionRequest": {"fields":{"clusterName":{"type":"string","id":1,"protoName":"cluster_name"},"clientId":{"type":"string","id":2,"protoName":"client_id"},"after":{"type":"string","id":3},"limit":{"type":"uint32","id":4}}},
"ListSessionReply": {"fields":{"sessions":{"rule":"repeated","type":"Session","id":1},"more":{"type":"bool","id":2}}},
"CreateSessionRequest": {"fields":{"clusterName":{"type":"string","id":1,"protoName":"cluster_name"},"session":{"type":"Session","id":2}}},
"CreateSessionReply": {"fields":{}},
"UpdateSessionRequest": {"fields":{"clusterName":{"type":"string","id":1,"protoName":"cluster_name"},"clientId":{"type":"string","id":2,"protoName":"client_id"},"connectionId":{"type":"uint64","id":3,"protoName":"connection_id"},"brokerId":{"type":"uint64","id":4,"protoName":"broker_id"},"reconnectTime":{"type":"uint64","id":5,"protoName":"reconnect_time"},"disconnectTime":{"type":"uint64","id":6,"protoName":"disconnect_time"}}},
"UpdateSessionReply": {"fields":{}},
"DeleteSessionRequest": {"fields":{"clusterName":{"type":"string","id":1,"protoName":"cluster_name"},"clientId":{"type":"string","id":2,"protoName":"client_id"}}},
"DeleteSessionReply": {"fields":{}},
"Topic": {"oneofs":{"_retainMessage":{"oneof":["retainMessage"]}},"fields":{"topicId":{"type":"string","id":1,"protoName":"topic_id"},"topicName":{"type":"string","id":2,"protoName":"topic_name"},"retainMessage":{"type":"bytes","id":3,"protoName":"retain_message","options":{"proto3_optional":true}},"retainMessageExpiredAt":{"type":"uint64","id":4,"protoName":"retain_message_expired_at"},"createTime":{"type":"uint64","id":5,"protoName":"create_time"}}},
"ListTopicRequest": {"fields":{"clusterName":{"type":"string","id":1,"protoName":"cluster_name"},"topicName":{"type":"string","id":2,"protoName":"topic_name"},"after":{"type":"string","id":3},"limit":{"type":"uint32","id":4}}},
"ListTopicReply": {"fields":{"topics":{"rule":"repeated","type":"Topic","id":1},"more":{"type":"bool","id":2}}},
"CreateTopicRequest": {"fields":{"clusterName":{"type":"string","id":1,"protoName":"cluster_name"},"topicName":{"type":"string","id":2,"protoName":"topic_name"}}},
"CreateTopicReply": {"fields":{"topicId":{"type":"string","id":1,"protoName":"topic_id"}}},
"DeleteTopicRequest": {"fields":{"clusterName":{"type":"string","id":1,"protoName":"cluster_name"},"topicName":{"type":"string","id":2,"protoName":"topic_name"}}},
"DeleteTopicReply": {"fields":{}},
"SetTopicRetainMessageRequest": {"fields":{"clusterName":{"type":"string","id":1,"protoName":"cluster_name"},"topicName":{"type":"string","id":2,"protoName":"topic_name"},"retainMessage":{"type":"bytes","id":3,"protoName":"retain_message"},"retainMessageExpiredAt":{"type":"uint64","id":4,"protoName":"retain_message_expired_at"}}},
"SetTopicRetainMessageReply": {"fields":{}},
"GetShareSubLeaderRequest": {"fields":{"clusterName":{"type":"string","id":1,"protoName":"cluster_name"},"groupName":{"type":"string","id":2,"protoName":"group_name"}}},
"GetShareSubLeaderReply": {"fields":{"brokerId":{"type":"uint64","id":1,"protoName":"broker_id"},"brokerAddr":{"type":"string","id":2,"protoName":"broker_addr"},"extendInfo":{"type":"string","id":3,"protoName":"extend_info"}}},
"SaveLastWillMessageRequest": {"fields":{"clusterName":{"type":"string","id":1,"protoName":"cluster_name"},"clientId":{"type":"string","id":2,"protoName":"client_id"},"lastWillMessage":{"type":"bytes","id":3,"protoName":"last_will_message"}}},
"SaveLastWillMessageReply": {"fields":{}}
}}
}},
"engine": {"nested": {
"v1": {"nested": {
"EngineService": {"methods":{"CreateShard":{"requestType":"CreateShardRequest","responseType":"CreateShardReply"},"GetShard":{"requestType":"GetShardRequest","responseType":"GetShardReply"},"ListShards":{"requestType":"ListShardsRequest","responseType":"ListShardsReply"},"DeleteShard":{"requestType":"DeleteShardRequest","responseType":"DeleteShardReply"},"MoveShard":{"requestType":"MoveShardRequest","responseType":"MoveShardReply"},"RetainShard":{"requestType":"RetainShardRequest","responseType":"RetainShardReply"},"CreateSegment":{"requestType":"CreateSegmentRequest","responseType":"CreateSegmentReply"},"DeleteSegment":{"requestType":"DeleteSegmentRequest","responseType":"DeleteSegmentReply"}}},
"ShardKind": {"values":{"Messages":0,"Keyed":1}},
"WhenFull": {"values":{"Refuse":0,"DropOldest":1}},
"Retention": {"fields":{"ageMsMax":{"type":"uint64","id":1,"protoName":"age_ms_max"},"bytesMax":{"type":"uint64","id":2,"protoName":"bytes_max"},"whenFull":{"type":"WhenFull","id":3,"protoName":"when_full"}}},
"Shard": {"fields":{"clusterName":{"type":"string","id":1,"protoName":"cluster_name"},"namespace":{"type":"string","id":2},"shardName":{"type":"string","id":3,"protoName":"shard_name"},"shardId":{"type":"uint64","id":4,"protoName":"shard_id"},"replica":{"type":"uint32","id":5},"segments":{"rule":"repeated","type":"Segment","id":6},"createTime":{"type":"uint64","id":7,"protoName":"create_time"},"kind":{"type":"ShardKind","id":8},"groupId":{"type":"uint64","id":9,"protoName":"group_id"},"replicas":{"rule":"repeated","type":"uint64","id":10},"preferredLeader":{"type":"uint64","id":11,"protoName":"preferred_leader"},"epoch":{"type":"uint64","id":12},"retention":{"type":"Retention","id":13},"state":{"type":"ShardState","id":14}}},
"ShardState": {"fields":{"term":{"type":"uint64","id":1},"leader":{"type":"uint64","id":2},"voters":{"rule":"repeated","type":"uint64","id":3},"learners":{"rule":"repeated","type":"uint64","id":4},"committed":{"type":"uint64","id":5},"oldest":{"type":"uint64","id":6},"bytes":{"type":"uint64","id":7},"toldTime":{"type":"uint64","id":8,"protoName":"told_time"}}},
"Segment": {"fields":{"segmentSeq":{"type":"uint64","id":1,"protoName":"segment_seq"},"replicas":{"rule":"repeated","type":"uint64","id":2},"leader":{"type":"uint64","id":3}}},
"CreateShardRequest": {"fields":{"clusterName":{"type":"string","id":1,"protoName":"cluster_name"},"namespace":{"type":"string","id":2},"shardName":{"type":"string","id":3,"protoName":"shard_name"},"replica":{"type":"uint32","id":4},"kind":{"type":"ShardKind","id":5},"retention":{"type":"Retention","id":6}}},
"CreateShardReply": {"fields":{"shard":{"type":"Shard","id":1}}},
"GetShardRequest": {"fields":{"clusterName":{"type":"string","id":1,"protoName":"cluster_name"},"namespace":{"type":"string","id":2},"shardName":{"type":"string","id":3,"protoName":"shard_name"}}},
"GetShardReply": {"fields":{"shard":{"type":"Shard","id":1}}},
"ListShardsRequest": {"fields":{"clusterName":{"type":"string","id":1,"protoName":"cluster_name"},"namespace":{"type":"string","id":2},"after":{"type":"string","id":3},"limit":{"type":"uint32","id":4}}},
"ListShardsReply": {"fields":{"shards":{"rule":"repeated","type":"Shard","id":1},"next":{"type":"string","id":2}}},
"MoveShardRequest": {"fields":{"clusterName":{"type":"string","id":1,"protoName":"cluster_name"},"namespace":{"type":"string","id":2},"shardName":{"type":"string","id":3,"protoName":"shard_name"},"from":{"type":"uint64","id":4},"to":{"type":"uint64","id":5},"leader":{"type":"uint64","id":6}}},
"MoveShardReply": {"fields":{"shard":{"type":"Shard","id":1}}},
"RetainShardRequest": {"fields":{"clusterName":{"type":"string","id":1,"protoName":"cluster_name"},"namespace":{"type":"string","id":2},"shardName":{"type":"string","id":3,"protoName":"shard_name"},"retention":{"type":"Retention","id":4}}},
"RetainShardReply": {"fields":{"shard":{"type":"Shard","id":1}}},
"DeleteShardRequest": {"fields":{"clusterName":{"type":"string","id":1,"protoName":"cluster_name"},"namespace":{"type":"string","id":2},"shardName":{"type":"string","id":3,"protoName":"shard_name"}}},
"DeleteShardReply": {"fields":{}},
"CreateSegmentRequest": {"fields":{"clusterName":{"type":"string","id":1,"protoName":"cluster_name"},"namespace":{"type":"string","id":2},"shardName":{"type":"string","id":3,"protoName":"shard_name"}}},
"CreateSegmentReply": {"fields":{"segment":{"type":"Segment","id":1}}},
"DeleteSegmentRequest": {"fields":{"clusterName":{"type":"string","id":1,"protoName":"cluster_name"},"namespace":{"type":"string","id":2},"shardName":{"type":"string","id":3,"protoName":"shard_name"},"segmentSeq":{"type":"uint64","id":4,"protoName":"segment_seq"}}},
"DeleteSegmentReply": {"fields":{}}
}}
}},
"cluster": {"nested": {
"v1": {"nested": {
"ClusterService": {"methods":{"Status":{"requestType":"StatusRequest","responseType":"StatusReply"},"Members":{"requestType":"MembersRequest","responseType":"MembersReply"},"AddLearner":{"requestType":"AddLearnerRequest","responseType":"MembersReply"},"Promote":{"requestType":"PromoteRequest","responseType":"MembersReply"},"Remove":{"requestType":"RemoveRequest","responseType":"MembersReply"},"TransferLeader":{"requestType":"TransferLeaderRequest","responseType":"TransferLeaderReply"},"Snapshot":{"requestType":"SnapshotRequest","responseType":"SnapshotReply"},"Backup":{"requestType":"BackupRequest","responseType":"BackupChunk","responseStream":true}}},
"StatusRequest": {"fields":{}},
"StatusReply": {"fields":{"clusterName":{"type":"string","id":1,"protoName":"cluster_name"},"nodeId":{"type":"uint64","id":2,"protoName":"node_id"},"version":{"type":"string","id":3},"role":{"type":"string","id":4},"leaderId":{"type":"uint64","id":5,"protoName":"leader_id"},"leaderAddr":{"type":"string","id":6,"protoName":"leader_addr"},"term":{"type":"uint64","id":7},"firstIndex":{"type":"uint64","id":8,"protoName":"first_index"},"lastIndex":{"type":"uint64","id":9,"protoName":"last_index"},"commitIndex":{"type":"uint64","id":10,"protoName":"commit_index"},"appliedIndex":{"type":"uint64","id":11,"protoName":"applied_index"},"revision":{"type":"uint64","id":12},"oldestRevision":{"type":"uint64","id":13,"protoName":"oldest_revision"},"storeBytes":{"type":"uint64","id":14,"protoName":"store_bytes"},"logBytes":{"type":"uint64","id":15,"protoName":"log_bytes"},"leases":{"type":"uint64","id":16},"watches":{"type":"uint64","id":17},"uptimeSeconds":{"type":"uint64","id":18,"protoName":"uptime_seconds"},"clusterId":{"type":"string","id":19,"protoName":"cluster_id"},"memberId":{"type":"string","id":20,"protoName":"member_id"},"founders":{"rule":"repeated","type":"uint64","id":21}}},
"MembersRequest": {"fields":{}},
"MembersReply": {"fields":{"members":{"rule":"repeated","type":"Member","id":1},"joint":{"type":"bool","id":2}}},
"Member": {"fields":{"nodeId":{"type":"uint64","id":1,"protoName":"node_id"},"address":{"type":"string","id":2},"voter":{"type":"bool","id":3},"leader":{"type":"bool","id":4},"matchIndex":{"type":"uint64","id":5,"protoName":"match_index"}}},
"AddLearnerRequest": {"fields":{"nodeId":{"type":"uint64","id":1,"protoName":"node_id"},"address":{"type":"string","id":2}}},
"PromoteRequest": {"fields":{"nodeIds":{"rule":"repeated","type":"uint64","id":1,"protoName":"node_ids"}}},
"RemoveRequest": {"fields":{"nodeIds":{"rule":"repeated","type":"uint64","id":1,"protoName":"node_ids"}}},
"TransferLeaderRequest": {"fields":{"nodeId":{"type":"uint64","id":1,"protoName":"node_id"}}},
"TransferLeaderReply": {"fields":{"term":{"type":"uint64","id":1}}},
"SnapshotRequest": {"fields":{}},
"SnapshotReply": {"fields":{"index":{"type":"uint64","id":1}}},
"BackupRequest": {"fields":{}},
"BackupChunk": {"fields":{"content":{"type":"bytes","id":1}}}
}}
}},
"broker": {"nested": {
"v1": {"nested": {
"MqttBrokerService": {"methods":{"ListClients":{"requestType":"ListClientsRequest","responseType":"ListClientsReply"},"KickClient":{"requestType":"KickClientRequest","responseType":"KickClientReply"},"Drain":{"requestType":"DrainRequest","responseType":"DrainStatus"},"Undrain":{"requestType":"UndrainRequest","responseType":"DrainStatus"},"GetDrain":{"requestType":"GetDrainRequest","responseType":"DrainStatus"}}},
"Client": {"fields":{"clientId":{"type":"string","id":1,"protoName":"client_id"},"userName":{"type":"string","id":2,"protoName":"user_name"},"remoteAddress":{"type":"string","id":3,"protoName":"remote_address"},"protocolLevel":{"type":"uint32","id":4,"protoName":"protocol_level"},"connectedAtMs":{"type":"uint64","id":5,"protoName":"connected_at_ms"},"listener":{"type":"string","id":6},"subscriptions":{"type":"uint64","id":7}}},
"ListClientsRequest": {"fields":{"after":{"type":"uint64","id":1},"limit":{"type":"uint32","id":2}}},
"ListClientsReply": {"fields":{"clients":{"rule":"repeated","type":"Client","id":1},"next":{"type":"uint64","id":2}}},
"KickClientRequest": {"fields":{"clientId":{"type":"string","id":1,"protoName":"client_id"}}},
"KickClientReply": {"fields":{"kicked":{"type":"bool","id":1}}},
"DrainRequest": {"fields":{"clientsPerSecond":{"type":"uint32","id":1,"protoName":"clients_per_second"},"toBroker":{"type":"uint64","id":2,"protoName":"to_broker"},"permanent":{"type":"bool","id":3}}},
"UndrainRequest": {"fields":{}},
"GetDrainRequest": {"fields":{}},
"DrainStatus": {"fields":{"draining":{"type":"bool","id":1},"clients":{"type":"uint64","id":2},"sessions":{"type":"uint64","id":3},"sentAway":{"type":"uint64","id":4,"protoName":"sent_away"}}}
}}
}}
}}
}}
`;
